//! Events with a name, an id and a time to wait.

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
    let events = ITEMS.into_iter().zip(1..).map(|((name, price), id)| {
        let event = Event::new(Item { name, price }).name("item_update");
        event.id(id.to_string()).retry(secs(5))
    });
    Sse::all(stream::iter(events))
}

pub fn module() -> Module {
    Module::new("items").routes(routes![items])
}
