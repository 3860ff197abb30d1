//! Several bodies: each is a member of one JSON object. A body that may be missing.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    #[validate(range(exclusive_min = 0))]
    price: f64,
    tax: Option<f64>,
}

/// A user.
#[derive(Input, Output)]
struct User {
    username: String,
    full_name: Option<String>,
}

/// What was sent.
#[derive(Output)]
struct Update {
    item_id: u32,
    item: Item,
    user: User,
    importance: u32,
    q: Option<String>,
}

/// Update an item
#[put("/items/{item_id}", allow = anyone)]
async fn update(
    item_id: u32,
    #[body] item: Item,
    #[body] user: User,
    #[body(range(min = 1))] importance: u32,
    #[query] q: Option<String>,
) -> Json<Update> {
    Json(Update {
        item_id,
        item,
        user,
        importance,
        q,
    })
}

/// Embed a single body: `{"item": {..}}`
#[put("/embedded/{item_id}", allow = anyone)]
async fn embedded(_item_id: u32, #[body] item: Item) -> Json<Item> {
    Json(item)
}

/// Take an item, or none
#[post("/maybe", allow = anyone)]
async fn maybe(item: Option<Json<Item>>) -> Json<Option<Item>> {
    Json(item.map(Json::into_inner))
}

/// The module with bodies.
pub fn module() -> Module {
    Module::new("bodies").routes(routes![update, embedded, maybe])
}
