//! Nested models, lists, sets, URLs, and maps with keys that are numbers.

use std::collections::{BTreeMap, BTreeSet};

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
    price: f64,
    /// Labels. A repeated one counts once.
    #[input(default)]
    tags: BTreeSet<String>,
    images: Option<Vec<Image>>,
}

/// An offer.
#[derive(Input, Output)]
struct Offer {
    name: String,
    items: Vec<Item>,
}

/// Create an offer
#[post("/offers", allow = anyone)]
async fn create_offer(Json(offer): Json<Offer>) -> Json<Offer> {
    Json(offer)
}

/// Create several images
#[post("/images/multiple", allow = anyone)]
async fn create_images(Json(images): Json<Vec<Image>>) -> Json<Vec<Image>> {
    Json(images)
}

/// Create index weights
#[post("/index-weights", allow = anyone)]
async fn create_weights(Json(weights): Json<BTreeMap<i64, f64>>) -> Json<BTreeMap<i64, f64>> {
    Json(weights)
}

/// The module with nested models.
pub fn module() -> Module {
    Module::new("nested").routes(routes![create_offer, create_images, create_weights])
}
