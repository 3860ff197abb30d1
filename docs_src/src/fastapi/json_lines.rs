//! Items as JSON Lines.

use doyen::prelude::*;
use futures_util::stream;

/// An item.
#[derive(Output)]
struct Item {
    name: &'static str,
    price: f64,
}

const ITEMS: [(&str, f64); 3] = [
    ("Plumbus", 32.99),
    ("Portal Gun", 999.99),
    ("Meeseeks Box", 49.99),
];

/// Stream items
#[get("/items/stream", allow = anyone)]
async fn items() -> JsonLines<Item> {
    JsonLines::all(stream::iter(
        ITEMS.map(|(name, price)| Item { name, price }),
    ))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
