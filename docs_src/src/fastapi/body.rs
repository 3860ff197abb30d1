//! A body.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
