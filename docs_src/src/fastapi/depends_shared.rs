//! A dependency of two path operations: a function that returns a type of its own.

use doyen::prelude::*;

/// The parameters that both routes read.
#[derive(Output)]
struct Commons {
    q: Option<String>,
    skip: i64,
    limit: i64,
}

#[extractor]
async fn commons(
    #[query] q: Option<String>,
    #[query(default)] skip: i64,
    #[query(default = 100)] limit: i64,
) -> Commons {
    Commons { q, skip, limit }
}

/// List items
#[get("/items/", allow = anyone)]
async fn items(commons: Commons) -> Json<Commons> {
    Json(commons)
}

/// List users
#[get("/users/", allow = anyone)]
async fn users(commons: Commons) -> Json<Commons> {
    Json(commons)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items, users])
}
