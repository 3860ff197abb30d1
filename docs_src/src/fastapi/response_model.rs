//! The return type is the response model.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
    #[input(default)]
    tags: Vec<String>,
}

fn item(name: &str, price: f64) -> Item {
    Item {
        name: name.to_owned(),
        description: None,
        price,
        tax: None,
        tags: vec![],
    }
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

/// List items
#[get("/items/", allow = anyone)]
async fn list() -> Json<Vec<Item>> {
    Json(vec![item("Portal Gun", 42.0), item("Plumbus", 32.0)])
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create, list])
}
