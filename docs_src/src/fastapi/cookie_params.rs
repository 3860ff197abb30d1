//! A cookie.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[cookie] ads_id: Option<String>) -> Json<Value> {
    Json(json!({"ads_id": ads_id}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
