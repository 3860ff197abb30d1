//! A list with a default.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query(default = vec!["foo".into(), "bar".into()])] q: Vec<String>) -> Json<Value> {
    Json(json!({"q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
