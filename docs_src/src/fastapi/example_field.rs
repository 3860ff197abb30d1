//! An example of each field.

use doyen::prelude::*;
use serde_json::{Value, json};

/// An item.
#[derive(Input, Output)]
struct Item {
    #[input(example = "Foo")]
    name: String,
    #[input(example = "A very nice Item")]
    description: Option<String>,
    #[input(example = 35.4)]
    price: f64,
    #[input(example = 3.2)]
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
