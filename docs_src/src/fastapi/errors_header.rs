//! An error with a header.

use doyen::prelude::*;
use serde_json::{Value, json};

/// There is no such item. Check its id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "item_not_found", detail = "Item not found")]
struct NoItem {
    /// Why there is none.
    #[problem(header = "X-Error")]
    why: &'static str,
}

/// Read an item
#[get("/items-header/{item_id}", allow = anyone)]
async fn read(item_id: String) -> Result<Json<Value>, NoItem> {
    match &*item_id {
        "foo" => Ok(Json(json!({"item": "The Foo Wrestlers"}))),
        _ => Err(NoItem {
            why: "There goes my error",
        }),
    }
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
