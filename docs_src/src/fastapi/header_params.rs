//! A header: `user_agent` reads `User-Agent`.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[header] user_agent: Option<String>) -> Json<Value> {
    Json(json!({"User-Agent": user_agent}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
