//! Anything else in the document of a path operation.

use doyen::prelude::*;
use serde_json::{Value, json};

fn portal(operation: &mut Value) {
    operation["x-aperture-labs-portal"] = json!("blue");
}

/// List items
#[get("/items/", allow = anyone, document = portal)]
async fn items() -> Json<Value> {
    Json(json!([{"item_id": "portal-gun"}]))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
