//! Headers of a response: the fields of a struct.

use doyen::prelude::*;
use doyen::web::response::WithHeaders;
use serde_json::{Value, json};

/// The headers.
#[derive(Output)]
struct Headers {
    x_cat_dog: &'static str,
    content_language: &'static str,
}

/// Get headers
#[get("/headers/", allow = anyone)]
async fn headers() -> WithHeaders<Json<Value>, Headers> {
    Json(json!({"message": "Hello World"})).with_headers(Headers {
        x_cat_dog: "alone in the world",
        content_language: "en-US",
    })
}

pub fn module() -> Module {
    Module::new("headers").routes(routes![headers])
}
