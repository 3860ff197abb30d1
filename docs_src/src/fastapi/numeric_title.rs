//! A description of a path parameter, and another name of a query parameter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(
    /// The ID of the item to get.
    item_id: i64,
    #[query(rename = "item-query")] q: Option<String>,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
