//! A list: a repeated parameter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query] q: Option<Vec<String>>) -> Json<Value> {
    Json(json!({"q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
