//! A required query parameter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String, #[query] needy: String) -> Json<Value> {
    Json(json!({"item_id": item_id, "needy": needy}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
