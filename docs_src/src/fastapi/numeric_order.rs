//! The order of the parameters does not matter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(
    #[query] q: String,
    /// The ID of the item to get.
    item_id: i64,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
