//! A field that the handler adds: a method of the model.

use doyen::prelude::*;

/// An item.
#[derive(Input, Output)]
#[output(skip_none, computed(price_with_tax: Option<f64> = Self::price_with_tax))]
struct Item {
    name: String,
    description: Option<String>,
    price: f64,
    tax: Option<f64>,
}

impl Item {
    fn price_with_tax(&self) -> Option<f64> {
        self.tax.map(|tax| self.price + tax)
    }
}

/// Create an item
#[post("/items/", allow = anyone)]
async fn create(Json(item): Json<Item>) -> Json<Item> {
    Json(item)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![create])
}
