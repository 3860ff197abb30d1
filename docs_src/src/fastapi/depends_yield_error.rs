//! A dependency that needs another one, and can refuse the request.

use doyen::prelude::*;
use serde_json::{Value, json};

#[derive(Clone)]
struct Username(&'static str);

#[provider]
async fn username() -> Username {
    Username("Rick")
}

/// Why there is no item.
#[derive(Debug, Problem)]
enum GetItem {
    /// There is no such item. Check its id.
    #[problem(not_found, code = "item_not_found", detail = "Item not found")]
    Missing,
    /// The item belongs to another user.
    #[problem(malformed, code = "wrong_owner", detail = "Owner error: {owner}")]
    Owner { owner: &'static str },
}

/// Get an item
#[get("/items/{item_id}", allow = anyone)]
async fn item(item_id: String, Username(owner): Username) -> Result<Json<Value>, GetItem> {
    match &*item_id {
        "portal-gun" => Ok(Json(
            json!({"description": "Gun to create portals", "owner": owner}),
        )),
        "plumbus" => Err(GetItem::Owner { owner }),
        _ => Err(GetItem::Missing),
    }
}

pub fn module() -> Module {
    Module::new("items").routes(routes![item])
}
