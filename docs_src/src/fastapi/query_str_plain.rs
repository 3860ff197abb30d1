//! An optional text of the query.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query] q: Option<String>) -> Json<Value> {
    Json(json!({"items": [{"item_id": "Foo"}, {"item_id": "Bar"}], "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
