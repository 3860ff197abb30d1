//! A body, a path parameter and a query parameter.

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
async fn update(item_id: i64, #[query] q: Option<String>, Json(item): Json<Item>) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item, "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
