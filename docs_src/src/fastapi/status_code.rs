//! Another status.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(#[query] name: String) -> Status<201, Json<Value>> {
    Status(Json(json!({"name": name})))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
