//! A body without a `Content-Type`: refused, unless a switch permits it.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    price: f64,
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

pub fn app() -> App {
    App::new("items")
        .strictness(Strictness::new().missing_content_type(true))
        .module(Module::new("items").routes(routes![create]))
}
