//! The items.

use doyen::prelude::*;
use serde_json::{Value, json};

use super::shared::{HeaderToken, QueryToken};

/// Why there is no item.
#[derive(Debug, Problem)]
enum ItemError {
    /// There is no such item.
    #[problem(not_found, code = "item_not_found", detail = "Item not found")]
    Missing,
    /// Another item than the plumbus.
    #[problem(
        forbidden,
        code = "only_plumbus",
        detail = "You can only update the item: plumbus"
    )]
    OnlyPlumbus,
}

/// List items
#[get("/", allow = anyone)]
async fn list() -> Json<Value> {
    Json(json!({"plumbus": {"name": "Plumbus"}, "gun": {"name": "Portal Gun"}}))
}

/// Get an item
#[get("/{item_id}", allow = anyone)]
async fn show(item_id: String) -> Result<Json<Value>, ItemError> {
    let name = match &*item_id {
        "plumbus" => "Plumbus",
        "gun" => "Portal Gun",
        _ => return Err(ItemError::Missing),
    };
    Ok(Json(json!({"name": name, "item_id": item_id})))
}

/// Update an item
#[put("/{item_id}", allow = anyone, tag = "custom")]
async fn update(item_id: String) -> Result<Json<Value>, ItemError> {
    if item_id != "plumbus" {
        return Err(ItemError::OnlyPlumbus);
    }
    Ok(Json(
        json!({"item_id": item_id, "name": "The great Plumbus"}),
    ))
}

pub(super) fn module() -> Module {
    Module::new("items")
        .guard::<QueryToken>()
        .guard::<HeaderToken>()
        .routes(routes![list, show, update].at("/items"))
}
