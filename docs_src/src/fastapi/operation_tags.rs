//! Tags: that of the module, or one of the route.

use doyen::prelude::*;
use serde_json::{Value, json};

const USERS: &str = "users";

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Value> {
    Json(json!(["Portal gun", "Plumbus"]))
}

/// List users
#[get("/users/", allow = anyone, tag = USERS)]
async fn users() -> Json<Value> {
    Json(json!(["Rick", "Morty"]))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items, users])
}
