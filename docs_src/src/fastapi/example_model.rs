//! An example of a whole model.

use doyen::prelude::*;
use serde_json::{Value, json};

/// An item.
#[derive(Input, Output)]
#[input(example = json!({"name": "Foo", "description": "A very nice Item", "price": 35.4, "tax": 3.2}))]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(item_id: i64, Json(item): Json<Item>) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
