//! The whole request.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Describe the request
#[post("/describe", allow = anyone)]
async fn describe(request: Request) -> Json<Value> {
    Json(json!({"method": request.method().as_str(), "path": request.uri().path()}))
}

pub fn module() -> Module {
    Module::new("requests").routes(routes![describe])
}
