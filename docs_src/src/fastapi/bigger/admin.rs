//! The administration.

use doyen::prelude::*;
use serde_json::{Value, json};

use super::shared::{HeaderToken, QueryToken};

/// Update the administration
#[post("/", allow = anyone)]
async fn update() -> Json<Value> {
    Json(json!({"message": "Admin getting schwifty"}))
}

pub(super) fn module() -> Module {
    let routes = routes![update].at("/admin");
    Module::new("admin")
        .guard::<QueryToken>()
        .guard::<HeaderToken>()
        .routes(routes)
}
