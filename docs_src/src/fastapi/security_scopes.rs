//! Scopes: `allow` names the one that a route needs.

use doyen::prelude::*;
use serde_json::{Value, json};

/// The scopes of a token.
#[derive(Clone, Copy, doyen::domain::Scope)]
pub enum Scope {
    /// Read information about the current user.
    #[scope("me")]
    Me,
    /// Read items.
    #[scope("items")]
    Items,
}

/// Get the current user
#[get("/users/me/", allow = Scope::Me)]
async fn me(caller: Caller) -> Json<Value> {
    Json(json!({"username": &*caller.subject}))
}

/// List own items
#[get("/users/me/items/", allow = Scope::Me.and(Scope::Items))]
async fn own_items(caller: Caller) -> Json<Value> {
    Json(json!([{"item_id": "Foo", "owner": &*caller.subject}]))
}

/// Get the status
#[get("/status/", allow = signed_in)]
async fn status() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

pub fn module() -> Module {
    Module::new("users").routes(routes![me, own_items, status])
}
