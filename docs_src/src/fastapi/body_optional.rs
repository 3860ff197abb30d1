//! A body that may be missing.

use doyen::prelude::*;
use serde_json::{Value, json};

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(
    /// The ID of the item to get.
    #[path(range(min = 0, max = 1000))]
    item_id: i64,
    #[query] q: Option<String>,
    item: Option<Json<Item>>,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "q": q, "item": item.map(Json::into_inner)}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
