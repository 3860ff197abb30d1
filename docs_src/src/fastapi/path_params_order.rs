//! A fixed path next to a path with a parameter. Their order does not matter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read a user
#[get("/users/{user_id}", allow = anyone)]
async fn read(user_id: String) -> Json<Value> {
    Json(json!({"user_id": user_id}))
}

/// Read the current user
#[get("/users/me", allow = anyone)]
async fn me() -> Json<Value> {
    Json(json!({"user_id": "the current user"}))
}

pub fn module() -> Module {
    Module::new("users").routes(routes![read, me])
}
