//! Retries: only where they are safe, and only within the budget.

use doyen::outbound::{Call, CallErrorKind, Client};
use doyen_test::{Reply, UpstreamServer};

use crate::support::{Payments, Shop, kind, status};

fn faults() -> Vec<Reply> {
    vec![
        Reply::status(500),
        Reply::status(502),
        Reply::status(503),
        Reply::status(504),
        Reply::status(429).header("retry-after", "0"),
        Reply::reset(),
        Reply::half_of("a body of which half arrives"),
        Reply::status(200).body("short").wrong_length(4_000),
        Reply::garbage("SSH-2.0-OpenSSH_9.9\r\n"),
    ]
}

#[doyen_test::test(sqlite)]
async fn an_idempotent_call_is_repeated_after_each_fault(shop: Shop) {
    for fault in faults() {
        let upstream = UpstreamServer::start();
        upstream.reply(fault.clone()).reply(fault.clone());
        upstream.always(Reply::status(204));
        let client = shop.client(&upstream, &[]).await;
        let response = client.get("/balance").send().await.unwrap();
        assert_eq!(response.status().as_u16(), 204, "{fault:?}");
        assert_eq!(
            (response.tries(), upstream.requests().len()),
            (3, 3),
            "{fault:?}"
        );
    }
}

#[doyen_test::test(sqlite)]
async fn an_unsafe_call_is_sent_once_whatever_happens(shop: Shop) {
    for fault in faults() {
        let upstream = UpstreamServer::start();
        upstream.always(fault.clone());
        let client = shop
            .client(&upstream, &[("tries", "10"), ("breaker", "false")])
            .await;
        let calls: [fn(&Client<Payments>) -> Call; 2] = [
            |client| client.post("/charges"),
            |client| client.patch("/charges/1"),
        ];
        for (sent, call) in calls.into_iter().enumerate() {
            let _ = call(&client).json(&"5 EUR").send().await;
            assert_eq!(upstream.requests().len(), sent + 1, "{fault:?}");
        }
    }
}

#[doyen_test::test(sqlite)]
async fn a_key_makes_an_unsafe_call_repeatable_and_stays_the_same(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.reply(Reply::reset()).reply(Reply::status(503));
    let client = shop.client(&upstream, &[]).await;
    let call = client.post("/charges").header("Idempotency-Key", "order-7");
    assert_eq!(status(call.json(&"5 EUR").send().await), 200);
    let requests = upstream.requests();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(request.header("idempotency-key"), Some("order-7"));
        assert_eq!(request.json(), "5 EUR");
    }
}

#[doyen_test::test(sqlite)]
async fn a_definite_response_is_not_repeated(shop: Shop) {
    for code in [200, 204, 301, 400, 401, 404, 409, 422, 501] {
        let upstream = UpstreamServer::start();
        upstream.always(Reply::status(code));
        let client = shop.client(&upstream, &[]).await;
        assert_eq!(status(client.get("/balance").send().await), code);
        assert_eq!(upstream.requests().len(), 1, "{code}");
    }
}

#[doyen_test::test(sqlite)]
async fn the_last_response_is_returned(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(503).body("maintenance"));
    let client = shop.client(&upstream, &[("tries", "4")]).await;
    let response = client.delete("/cards/1").send().await.unwrap();
    assert_eq!(response.tries(), 4);
    assert_eq!(&response.body()[..], b"maintenance");
    let error = response.success().unwrap_err();
    assert_eq!(error.kind(), CallErrorKind::Status(503));
    assert!(error.is_transient());
}

#[doyen_test::test(sqlite)]
async fn retries_stay_within_the_budget(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(503));
    let settings = [("breaker", "false"), ("tries", "3"), ("retry_budget", "10")];
    let client = shop.client(&upstream, &settings).await;
    for _ in 0..100 {
        assert_eq!(status(client.get("/balance").send().await), 503);
    }
    // The reserve of ten, and a tenth of the calls. The first call pays into a full budget.
    assert_eq!(upstream.requests().len(), 100 + 10 + 9);

    let client = shop
        .client(&upstream, &[("breaker", "false"), ("retry_budget", "0")])
        .await;
    let before = upstream.requests().len();
    for _ in 0..5 {
        assert_eq!(status(client.get("/balance").send().await), 503);
    }
    assert_eq!(upstream.requests().len(), before + 5);
}

#[doyen_test::test(sqlite)]
async fn a_pause_that_is_too_long_is_not_waited_for(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(503).header("retry-after", "3600"));
    let client = shop.client(&upstream, &[]).await;
    let response = client.get("/balance").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), upstream.requests().len()),
        (503, 1)
    );
    let wait = response.success().unwrap_err().retry_after().unwrap();
    assert_eq!(wait.as_secs(), 3_600);
}

#[doyen_test::test(sqlite)]
async fn without_a_listener_every_try_fails_to_connect(shop: Shop) {
    let upstream = UpstreamServer::start();
    let client = shop.client(&upstream, &[]).await;
    drop(upstream);
    assert_eq!(
        kind(client.get("/balance").send().await),
        CallErrorKind::Connect
    );
}
