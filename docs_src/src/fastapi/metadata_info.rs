//! What the document says about the application.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Value> {
    Json(json!([{"name": "Katana"}]))
}

pub fn app() -> App {
    App::new("chimichang")
        .title("ChimichangApp")
        .summary("Deadpool's favorite app. Nuff said.")
        .description("ChimichangApp API helps you do awesome stuff. 🚀")
        .version("0.0.1")
        .terms_of_service("http://example.com/terms/")
        .contact(
            "Deadpoolio the Amazing",
            "http://x-force.example.com/contact/",
        )
        .licence("Apache 2.0", "Apache-2.0")
        .module(Module::new("items").routes(routes![items]))
}
