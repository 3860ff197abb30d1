//! An application below a path of another one.

use axum::routing::get as axum_get;
use doyen::prelude::*;
use serde_json::{Value, json};

/// Say hello
#[get("/app", allow = anyone)]
async fn main() -> Json<Value> {
    Json(json!({"message": "Hello World from main app"}))
}

async fn sub() -> &'static str {
    "Hello World from sub API"
}

pub fn module() -> Module {
    let sub = axum::Router::new().route("/sub", axum_get(sub));
    Module::new("hello")
        .routes(routes![main])
        .route(Route::mount("/subapi", sub).allow(anyone))
}
