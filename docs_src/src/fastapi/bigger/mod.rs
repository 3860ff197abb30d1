//! A bigger application: a file for each router, and one for what they share.

mod admin;
mod items;
mod shared;
mod users;

use doyen::prelude::*;
use serde_json::{Value, json};

/// Say hello
#[get("/", allow = anyone)]
async fn root() -> Json<Value> {
    Json(json!({"message": "Hello Bigger Applications!"}))
}

pub fn app() -> App {
    App::new("bigger")
        .module(
            Module::new("root")
                .guard::<shared::QueryToken>()
                .routes(routes![root]),
        )
        .module(users::module())
        .module(items::module())
        .module(admin::module())
}
