//! A single body with a key: `{"item": {..}}`.

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
async fn update(item_id: i64, #[body] item: Item) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
