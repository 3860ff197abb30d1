//! The smallest application. CORS, trusted hosts and compression are settings or built in.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Say hello
#[get("/", allow = anyone)]
async fn root() -> Json<Value> {
    Json(json!({"message": "Hello World"}))
}

pub fn module() -> Module {
    Module::new("hello").routes(routes![root])
}
