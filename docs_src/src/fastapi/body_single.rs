//! A single value next to the bodies.

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

/// A user.
#[derive(Input, Output)]
struct User {
    username: String,
    full_name: Option<String>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(
    item_id: i64,
    #[body] item: Item,
    #[body] user: User,
    #[body] importance: i64,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item, "user": user, "importance": importance}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
