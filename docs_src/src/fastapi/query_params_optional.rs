//! An optional query parameter.

use doyen::prelude::*;

/// An item.
#[derive(Output)]
#[output(skip_none)]
struct Item {
    item_id: String,
    q: Option<String>,
}

/// Read an item
#[get("/items/{item_id}", allow = anyone)]
async fn read(item_id: String, #[query] q: Option<String>) -> Json<Item> {
    Json(Item { item_id, q })
}

pub fn module() -> Module {
    Module::new("items").routes(routes![read])
}
