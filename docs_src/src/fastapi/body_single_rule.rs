//! A rule on a single value of the body, and a query parameter.

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
    #[body(range(exclusive_min = 0))] importance: i64,
    #[query] q: Option<String>,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "item": item, "user": user, "importance": importance, "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![update])
}
