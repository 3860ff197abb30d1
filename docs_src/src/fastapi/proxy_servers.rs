//! Other servers in the document.

use doyen::prelude::*;
use serde_json::{Value, json};

/// Say hello
#[get("/app", allow = anyone)]
async fn main() -> Json<Value> {
    Json(json!({"message": "Hello World"}))
}

pub fn app() -> App {
    App::new("hello")
        .server("https://stag.example.com", "Staging environment")
        .server("https://prod.example.com", "Production environment")
        .module(Module::new("hello").routes(routes![main]))
}
