//! Descriptions of tags: a module is a tag.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List users
#[get("/users/", allow = anyone)]
async fn users() -> Json<Value> {
    Json(json!([{"name": "Harry"}, {"name": "Ron"}]))
}

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Value> {
    Json(json!([{"name": "wand"}, {"name": "flying broom"}]))
}

pub fn app() -> App {
    let users =
        Module::new("users").describe("Operations with users. The **login** logic is also here.");
    let items = Module::new("items").describe("Manage items. So _fancy_ they have their own docs.");
    App::new("school")
        .module(users.routes(routes![users]))
        .module(items.routes(routes![items]))
}
