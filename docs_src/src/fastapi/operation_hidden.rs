//! A path operation that the document leaves out.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone, hidden)]
async fn items() -> Json<Value> {
    Json(json!([{"item_id": "Foo"}]))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
