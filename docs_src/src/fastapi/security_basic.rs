//! HTTP Basic: the name and the password.

use doyen::prelude::*;
use doyen::web::extract::Basic;
use serde_json::{Value, json};

/// Get the current user
#[get("/users/me", allow = anyone)]
async fn me(Credentials(basic): Credentials<Basic>) -> Json<Value> {
    Json(json!({"username": basic.name, "password": basic.password.expose()}))
}

pub fn module() -> Module {
    Module::new("users").routes(routes![me])
}
