//! A body that the handler parses, and the schema of its model in the document.

use doyen::prelude::*;
use doyen::web::extract::Bytes;
use serde_json::{Value, json};

fn schema(operation: &mut Value) {
    let item = json!({
        "type": "object",
        "required": ["name", "price"],
        "properties": {
            "name": {"type": "string"},
            "price": {"type": "number"},
            "description": {"type": "string"},
        },
    });
    operation["requestBody"] =
        json!({"required": true, "content": {"application/x-magic": {"schema": item}}});
}

/// Create an item
#[post("/items/", allow = anyone, document = schema)]
async fn create(body: Bytes) -> Json<Value> {
    Json(json!({"size": body.len(), "content": {"name": "Maaaagic", "price": 42}}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
