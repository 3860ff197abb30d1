//! A body with rules and examples, next to a path and a query parameter.

use doyen::prelude::*;

/// An item.
#[derive(Input)]
#[input(example = serde_json::json!({"name": "Foo", "price": 35.4, "tax": 3.2}))]
struct Item {
    #[input(example = "Foo")]
    name: String,
    /// The title of the description, at most 300 characters.
    #[validate(length(max = 300))]
    description: Option<String>,
    /// Greater than zero.
    #[validate(range(exclusive_min = 0))]
    price: f64,
    tax: Option<f64>,
}

/// A priced item.
#[derive(Output)]
struct Priced {
    item_id: u32,
    name: String,
    description: Option<String>,
    price_with_tax: f64,
    q: Option<String>,
}

/// Replace an item
#[put("/items/{item_id}", allow = anyone)]
async fn replace(item_id: u32, #[query] q: Option<String>, Json(item): Json<Item>) -> Json<Priced> {
    Json(Priced {
        item_id,
        name: item.name,
        description: item.description,
        price_with_tax: item.price + item.tax.unwrap_or(0.0),
        q,
    })
}

/// The module with items.
pub fn module() -> Module {
    Module::new("items").routes(routes![replace])
}
