//! A model as a JSON value: every `Output` is a `serde::Serialize`.

use std::sync::{Arc, Mutex};

use doyen::domain::sync::lock;
use doyen::prelude::*;
use serde_json::{Map, Value, json};

/// An item.
#[derive(Input, Output)]
struct Item {
    title: String,
    timestamp: Timestamp,
    description: Option<String>,
}

/// The items by their ids.
#[derive(Default)]
pub struct Items(pub Mutex<Map<String, Value>>);

/// Update an item
#[put("/items/{id}", allow = anyone)]
async fn update(id: String, items: Arc<Items>, Json(item): Json<Item>) -> NoContent {
    lock(&items.0).insert(id, json!(item));
    NoContent
}

pub fn module() -> Module {
    Module::new("items")
        .routes(routes![update])
        .provide(Arc::new(Items::default()))
}
