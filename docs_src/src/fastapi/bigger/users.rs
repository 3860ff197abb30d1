//! The users.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List users
#[get("/users/", allow = anyone)]
async fn list() -> Json<Value> {
    Json(json!([{"username": "Rick"}, {"username": "Morty"}]))
}

/// Get the current user
#[get("/users/me", allow = anyone)]
async fn me() -> Json<Value> {
    Json(json!({"username": "fakecurrentuser"}))
}

/// Get a user
#[get("/users/{username}", allow = anyone)]
async fn show(username: String) -> Json<Value> {
    Json(json!({"username": username}))
}

pub(super) fn module() -> Module {
    Module::new("users")
        .guard::<super::shared::QueryToken>()
        .routes(routes![list, me, show])
}
