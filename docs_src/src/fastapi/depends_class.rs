//! A class as a dependency: a struct of query parameters.

use doyen::prelude::*;
use serde_json::{Value, json};

const ITEMS: [&str; 3] = ["Foo", "Bar", "Baz"];

/// The parameters of lists.
#[derive(Input)]
struct CommonQueryParams {
    q: Option<String>,
    #[input(default)]
    skip: usize,
    #[input(default = 100)]
    limit: usize,
}

/// List items
#[get("/items/", allow = anyone)]
async fn list(Query(commons): Query<CommonQueryParams>) -> Json<Value> {
    let items = ITEMS.iter().skip(commons.skip).take(commons.limit);
    let items: Value = items.map(|name| json!({"item_name": name})).collect();
    Json(json!({"q": commons.q, "items": items}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
