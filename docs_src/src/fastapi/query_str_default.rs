//! A rule and a default.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query(default = "fixedquery", length(min = 3))] q: String) -> Json<Value> {
    Json(json!({"items": [{"item_id": "Foo"}, {"item_id": "Bar"}], "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
