//! Several path and query parameters, bound by name.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read an item of a user
#[get("/users/{user_id}/items/{item_id}", allow = anyone)]
async fn read(
    user_id: i64,
    item_id: String,
    #[query] q: Option<String>,
    #[query(default)] short: bool,
) -> Json<Value> {
    let mut item = json!({"item_id": item_id, "owner_id": user_id, "q": q});
    if !short {
        item["description"] = json!("This is an amazing item that has a long description");
    }
    Json(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
