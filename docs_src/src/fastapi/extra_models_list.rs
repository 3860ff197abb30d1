//! A list of models.

use doyen::prelude::*;

/// An item.
#[derive(Output)]
struct Item {
    name: &'static str,
    description: &'static str,
}

/// List items
#[get("/items/", allow = anyone)]
async fn list() -> Json<Vec<Item>> {
    let item = |name, description| Item { name, description };
    Json(vec![
        item("Foo", "There comes my hero"),
        item("Red", "It's my aeroplane"),
    ])
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
