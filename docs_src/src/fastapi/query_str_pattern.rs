//! A regular expression. A malformed one does not compile.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(
    #[query(length(min = 3, max = 50), pattern = "^fixedquery$")] q: Option<String>,
) -> Json<Value> {
    Json(json!({"items": [{"item_id": "Foo"}, {"item_id": "Bar"}], "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
