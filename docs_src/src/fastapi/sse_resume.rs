//! Events after the last one that the client has seen.

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
async fn items(#[header] last_event_id: Option<usize>) -> Sse<Item> {
    let start = last_event_id.map_or(0, |last| last.saturating_add(1));
    let events = ITEMS.into_iter().enumerate().skip(start);
    Sse::all(stream::iter(events.map(|(id, (name, price))| {
        Event::new(Item { name, price }).id(id.to_string())
    })))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
