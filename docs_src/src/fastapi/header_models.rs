//! Headers as a model.

use doyen::prelude::*;

/// The common headers.
#[derive(Input, Output)]
struct CommonHeaders {
    host: String,
    save_data: bool,
    if_modified_since: Option<String>,
    traceparent: Option<String>,
    #[input(default)]
    x_tag: Vec<String>,
}

/// List items
#[get("/items/", allow = anyone)]
async fn list(Header(headers): Header<CommonHeaders>) -> Json<CommonHeaders> {
    Json(headers)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
