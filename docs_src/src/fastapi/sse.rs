//! Server-sent events.

use doyen::prelude::*;
use doyen::web::response::Event;
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
async fn items() -> Sse<Item> {
    Sse::all(stream::iter(
        ITEMS.map(|(name, price)| Event::new(Item { name, price })),
    ))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
