//! Greater than or equal.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(#[path(range(min = 1))] item_id: i64, #[query] q: String) -> Json<Value> {
    Json(json!({"item_id": item_id, "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
