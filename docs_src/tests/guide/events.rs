//! `docs/guide/events.md`

use super::subject;

subject!(
    Stock,
    docs_src::shop::app().module(docs_src::events::module())
);

/// Waits until both handlers have the event.
async fn delivered(stock: &Stock) {
    while stock.count("doyen_outbox WHERE position IS NULL").await > 0
        || stock.count("events_deliveries").await > 0
    {
        tokio::task::yield_now().await;
    }
}

#[doyen_test::test]
async fn a_sold_out_article_is_ordered_once(stock: Stock) {
    stock.post("/stock/TE-100/sell/5").send().await.expect(204);
    delivered(&stock).await;
    let ordered = "orders WHERE article = 'TE-100' AND quantity = 10";
    assert_eq!(stock.count(ordered).await, 1);
    assert_eq!(stock.count("events_inbox WHERE id = 'TE-100'").await, 1);
    stock.post("/stock/TE-100/sell/5").send().await.expect(204);
    delivered(&stock).await;
    assert_eq!(stock.count(ordered).await, 2);
    assert_eq!(stock.count("events_inbox").await, 1);
}
