//! Fields of a form.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Log in
#[post("/login/", allow = anyone)]
async fn login(#[form] username: String, #[form] _password: Secret<String>) -> Json<Value> {
    Json(json!({"username": username}))
}

pub fn module() -> Module {
    Module::new("login").routes(routes![login])
}
