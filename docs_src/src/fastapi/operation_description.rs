//! Summary and description: the doc comment. The description of the response: `returns`.

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
///
/// Create an item with all the information:
///
/// - **name**: each item must have a name
/// - **price**: required
#[post("/items/", allow = anyone, returns = "The created item")]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
