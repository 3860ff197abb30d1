use doyen::prelude::*;

/// An item.
#[derive(Input)]
struct Item {
    name: String,
}

/// A user.
#[derive(Input)]
struct User {
    name: String,
}

/// Update an item
#[put("/items", allow = anyone)]
async fn update(Json(item): Json<Item>, Json(user): Json<User>) -> NoContent {
    let _ = (item.name, user.name);
    NoContent
}

fn main() {}
