//! Deeply nested models.

use std::collections::BTreeSet;

use doyen::prelude::*;

/// An image.
#[derive(Input, Output)]
struct Image {
    #[validate(url)]
    url: String,
    name: String,
}

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
    #[input(default)]
    tags: BTreeSet<String>,
    images: Option<Vec<Image>>,
}

/// An offer.
#[derive(Input, Output)]
struct Offer {
    name: String,
    description: Option<String>,
    price: f64,
    items: Vec<Item>,
}

/// Create an offer
#[post("/offers/", allow = anyone)]
async fn create(Json(offer): Json<Offer>) -> Json<Offer> {
    Json(offer)
}

pub fn module() -> Module {
    Module::new("offers").routes(routes![create])
}
