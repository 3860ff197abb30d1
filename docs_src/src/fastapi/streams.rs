//! Items that are sent one by one: JSON Lines, CSV and server-sent events.

use doyen::prelude::*;
use doyen::web::response::Event;
use futures_util::stream;

/// An item.
#[derive(Clone, Output)]
struct Item {
    name: String,
    price: f64,
}

fn items() -> impl futures_util::Stream<Item = Item> + Send + 'static {
    let named = |(name, price): (&str, f64)| Item {
        name: name.to_owned(),
        price,
    };
    stream::iter([("tea", 2.5), ("cake", 4.0)].map(named))
}

/// Stream items as JSON Lines
#[get("/items.jsonl", allow = anyone)]
async fn lines() -> JsonLines<Item> {
    JsonLines::all(items())
}

/// Export items as CSV
#[get("/items.csv", allow = anyone)]
async fn export() -> CsvRows<Item> {
    CsvRows::all(items())
}

/// Stream items as events
#[get("/items/events", allow = anyone)]
async fn events() -> Sse<Item> {
    use futures_util::StreamExt as _;
    let numbered = items().enumerate();
    Sse::all(numbered.map(|(id, item)| Event::new(item).name("item").id(id.to_string())))
}

/// The module with streams.
pub fn module() -> Module {
    Module::new("streams").routes(routes![lines, export, events])
}
