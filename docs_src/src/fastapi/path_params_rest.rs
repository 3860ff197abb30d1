//! A parameter that is the rest of the path.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Read a file
#[get("/files/{*file_path}", allow = anyone)]
async fn read(file_path: String) -> Json<Value> {
    Json(json!({"file_path": file_path}))
}

pub fn module() -> Module {
    Module::new("files").routes(routes![read])
}
