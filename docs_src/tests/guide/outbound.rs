//! `docs/guide/outbound.md`

use doyen_test::{Reply, Setup, UpstreamServer};
use serde_json::json;

use super::subject;

subject!(Exchange, docs_src::outbound::app());

#[doyen_test::test(sqlite)]
async fn a_call_survives_a_fault_of_the_upstream(exchange: Exchange) {
    let upstream = UpstreamServer::start();
    upstream.reply(Reply::status(503));
    upstream.reply(Reply::json(&json!({"rate": 1.25})));
    let setup = Setup::new().set("outbound.rates.url", &upstream.url());
    let app = exchange.another(setup).await;

    let answer = app.get("/rates/USD").send().await.expect(200);
    assert_eq!(answer.text(), "1 EUR = 1.25 USD");
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].target, "/quotes?currency=USD");

    upstream.reply(Reply::reset());
    app.post("/orders/7").send().await.expect(204);
    let last = upstream.requests().pop();
    assert_eq!(
        last.as_ref().and_then(|one| one.header("idempotency-key")),
        Some("7")
    );
    assert_eq!(upstream.requests().len(), 4);
}

#[doyen_test::test(sqlite)]
async fn an_upstream_that_is_down_is_a_503(exchange: Exchange) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(500));
    let setup = Setup::new().set("outbound.rates.url", &upstream.url());
    let app = exchange.another(setup).await;
    app.get("/rates/USD")
        .send()
        .await
        .expect_problem(503, "unavailable");
    upstream.always(Reply::status(404));
    app.get("/rates/XXX")
        .send()
        .await
        .expect_problem(500, "internal");
}
