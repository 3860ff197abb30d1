//! The errors of FastAPI, for clients that know them.

use doyen::prelude::*;
use doyen::schema::FastApiErrors;

/// An item.
#[derive(Input, Output)]
struct Item {
    title: String,
    size: i64,
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

pub fn app() -> App {
    App::new("items")
        .problem_format(FastApiErrors)
        .module(Module::new("items").routes(routes![create]))
}
