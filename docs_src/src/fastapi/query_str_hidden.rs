//! A parameter that the document leaves out.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query(hidden)] hidden_query: Option<String>) -> Json<Value> {
    let hidden_query = hidden_query.unwrap_or("Not found".to_owned());
    Json(json!({"hidden_query": hidden_query}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
