//! A page from a template.

use doyen::prelude::*;
use minijinja::{Environment, context};

/// Show an item
#[get("/items/{id}", allow = anyone)]
async fn item(id: String) -> Result<Html, Unexpected> {
    let page = r#"<h1><a href="/items/{{ id }}">Item ID: {{ id }}</a></h1>"#;
    Ok(Html(Environment::new().render_named_str(
        "item.html",
        page,
        context!(id),
    )?))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![item])
}
