//! A function over the finished document.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Value> {
    Json(json!([{"name": "Foo"}]))
}

pub fn app() -> App {
    App::new("items")
        .title("Custom title")
        .version("2.5.0")
        .summary("This is a very custom OpenAPI schema")
        .description("Here's a longer description of the custom **OpenAPI** schema")
        .document(|document| {
            document["info"]["x-logo"] = json!({"url": "https://example.com/logo.png"})
        })
        .module(Module::new("items").routes(routes![items]))
}
