//! Every option of a parameter.

use doyen::prelude::*;
use serde_json::{Value, json};

/// List items
#[get("/items/", allow = anyone)]
async fn list(
    /// Query string for the items to search in the database that have a good match.
    #[query(
        rename = "item-query",
        length(min = 3, max = 50),
        pattern = "^fixedquery$",
        deprecated
    )]
    q: Option<String>,
) -> Json<Value> {
    Json(json!({"items": [{"item_id": "Foo"}, {"item_id": "Bar"}], "q": q}))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
