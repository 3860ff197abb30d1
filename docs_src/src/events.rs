//! Events: one domain emits them in its unit of work, and another one reacts.

use doyen::domain::event::{EventHandler, RecordedEvent};
use doyen::events::Inbox;
use doyen::prelude::*;

/// Events of the stock of an article.
#[derive(Event)]
#[event(topic = "stock", key = "article")]
enum StockEvent {
    SoldOut { article: String, pieces: u32 },
}

/// Sell all pieces of an article
#[post("/stock/{article}/sell/{pieces}", allow = anyone)]
async fn sell(session: Session, article: String, pieces: u32) -> Result<NoContent, Unexpected> {
    let sql = "UPDATE stock SET pieces = 0 WHERE article = $1";
    session.execute_sql(sql, [article.as_str().into()]).await?;
    session
        .emit(&StockEvent::SoldOut { article, pieces })
        .await?;
    Ok(NoContent)
}

/// The part of the event that the domain of orders needs.
#[derive(EventData)]
#[event(topic = "stock.sold_out")]
struct SoldOut {
    article: String,
}

/// Orders more of an article. The order and the mark that the event was delivered commit together.
async fn reorder(event: Delivery<SoldOut>, session: Session) -> Result<(), Unexpected> {
    let sql = "INSERT INTO orders (id, article, quantity, placed_at) VALUES ($1, $2, 10, $3)";
    let placed_at = doyen::data::sea_orm::prelude::DateTimeUtc::from(event.record.created_at);
    let order = [
        event.record.id.into(),
        event.article.as_str().into(),
        placed_at.into(),
    ];
    session.execute_sql(sql, order).await?;
    Ok(())
}

/// Handles several topics, and reads the event as it is stored.
async fn first_movement(event: RecordedEvent, inbox: Inbox) -> Result<(), Unexpected> {
    let article = event.key().unwrap_or_default();
    if inbox.once("first_movement", article).await? {
        // Only for the first event of each article in `events.keep_inbox` (30 days).
    }
    Ok(())
}

/// The module with the stock and the reactions to its events.
pub fn module() -> Module {
    let movements = EventHandler::new("first_movement", first_movement);
    Module::new("stock")
        .routes(routes![sell])
        .on("reorder", reorder)
        .event_handler(movements.on_topics(["stock.*"]).skip_parked())
}
