//! A URL in a model in a model.

use std::collections::BTreeSet;

use doyen::prelude::*;
use serde_json::{Value, json};

/// An image.
#[derive(Input, Output)]
struct Image {
    #[validate(url)]
    url: String,
    name: String,
}

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
    #[input(default)]
    tags: BTreeSet<String>,
    image: Option<Image>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(item_id: i64, Json(item): Json<Item>) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
