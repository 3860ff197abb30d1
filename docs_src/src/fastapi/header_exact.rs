//! The exact name of a header.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[header(rename = "strange_header")] strange: Option<String>) -> Json<Value> {
    Json(json!({"strange_header": strange}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
