//! The status of a path operation.

use std::collections::BTreeSet;

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
    #[input(default)]
    tags: BTreeSet<String>,
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Created<Item> {
    Created(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
