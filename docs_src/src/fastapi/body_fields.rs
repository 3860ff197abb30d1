//! Rules and descriptions of fields.

use doyen::prelude::*;
use serde_json::{Value, json};

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    /// The description of the item.
    #[validate(length(max = 300))]
    description: Option<String>,
    /// The price must be greater than zero.
    #[validate(range(exclusive_min = 0))]
    price: f64,
    tax: Option<f64>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(item_id: i64, #[body] item: Item) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
