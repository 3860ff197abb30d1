//! A header with several values.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[header] x_token: Option<Vec<String>>) -> Json<Value> {
    Json(json!({"X-Token values": x_token}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
