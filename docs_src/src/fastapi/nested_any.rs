//! A list of anything.

use doyen::prelude::*;
use serde_json::{Value, json};

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
    #[input(default)]
    tags: Vec<Value>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(item_id: i64, Json(item): Json<Item>) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
