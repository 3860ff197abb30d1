//! Query parameters with defaults.

use doyen::prelude::*;
use serde_json::{Value, json};

const ITEMS: [&str; 3] = ["Foo", "Bar", "Baz"];

/// List items
#[get("/items/", allow = anyone)]
async fn list(#[query(default)] skip: usize, #[query(default = 10)] limit: usize) -> Json<Value> {
    let items = ITEMS.iter().skip(skip).take(limit);
    Json(items.map(|name| json!({"item_name": name})).collect())
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
