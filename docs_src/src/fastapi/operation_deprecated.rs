//! A deprecated path operation.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone, tag = "items")]
async fn items() -> Json<Value> {
    Json(json!([{"name": "Foo", "price": 42}]))
}

/// List users
#[get("/users/", allow = anyone, tag = "users")]
async fn users() -> Json<Value> {
    Json(json!([{"username": "johndoe"}]))
}

/// List elements
#[get("/elements/", allow = anyone, tag = "items", deprecated)]
async fn elements() -> Json<Value> {
    Json(json!([{"item_id": "Foo"}]))
}

pub fn module() -> Module {
    Module::new("all").routes(routes![items, users, elements])
}
