//! Operation ids for generated clients: `items_create_item`, `users_create_user`.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    price: f64,
}

/// A message.
#[derive(Output)]
struct Message {
    message: &'static str,
}

/// A user.
#[derive(Input)]
#[allow(dead_code, reason = "the example stores nothing")]
struct User {
    username: String,
    email: String,
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create_item(Json(_item): Json<Item>) -> Json<Message> {
    let message = "Item received";
    Json(Message { message })
}

/// List items
#[get("/items/", allow = anyone)]
async fn list_items() -> Json<Vec<Item>> {
    let item = |(name, price): (&str, f64)| Item {
        name: name.to_owned(),
        price,
    };
    Json([("Plumbus", 3.0), ("Portal Gun", 9001.0)].map(item).into())
}

/// Create a user
#[post("/users/", allow = anyone)]
async fn create_user(Json(_user): Json<User>) -> Json<Message> {
    let message = "User received";
    Json(Message { message })
}

pub fn app() -> App {
    App::new("clients")
        .module(Module::new("items").routes(routes![create_item, list_items]))
        .module(Module::new("users").routes(routes![create_user]))
}
