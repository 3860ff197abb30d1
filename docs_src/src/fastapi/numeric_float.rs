//! A range of floating-point numbers.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(
    /// The ID of the item to get.
    #[path(range(min = 0, max = 1000))]
    item_id: i64,
    #[query] q: String,
    #[query(range(exclusive_min = 0, exclusive_max = 10.5))] size: f64,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "q": q, "size": size}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
