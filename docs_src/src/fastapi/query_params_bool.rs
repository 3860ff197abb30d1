//! A boolean query parameter: `true`, `1`, `on` and `yes` are true.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(
    item_id: String,
    #[query] q: Option<String>,
    #[query(default)] short: bool,
) -> Json<Value> {
    let mut item = json!({"item_id": item_id, "q": q});
    if !short {
        item["description"] = json!("This is an amazing item that has a long description");
    }
    Json(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
