//! Required, optional and default query parameters.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(
    item_id: String,
    #[query] needy: String,
    #[query(default)] skip: i64,
    #[query] limit: Option<i64>,
) -> Json<Value> {
    Json(json!({"item_id": item_id, "needy": needy, "skip": skip, "limit": limit}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
