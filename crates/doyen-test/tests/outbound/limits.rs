//! Time and size.

use std::time::Duration;

use doyen::outbound::CallErrorKind;
use doyen_test::{Reply, UpstreamServer};

use crate::support::{Shop, kind, status};

#[doyen_test::test(sqlite)]
async fn a_call_ends_with_the_request_that_makes_it(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200).hold());
    // The client may take minutes, the route not even a second.
    let settings = [("timeout", "10m"), ("try_timeout", "10m")];
    let app = shop.with(&upstream, &settings).await;
    // The handler still responds; the timeout of the route would be another problem.
    let answer = app.post("/charge").send().await;
    answer.expect_problem(503, "payments_unavailable");
    assert_eq!(upstream.requests().len(), 1);
}

#[doyen_test::test(sqlite)]
async fn a_try_that_hangs_is_given_up_and_repeated(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.reply(Reply::status(200).hold());
    upstream.always(Reply::status(204));
    let client = shop.client(&upstream, &[("try_timeout", "100ms")]).await;
    let response = client.get("/").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.tries()), (204, 2));
}

#[doyen_test::test(sqlite)]
async fn a_body_that_never_ends_is_given_up(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::stalls_after_half_of(
        "the rest of the body does not come",
    ));
    let client = shop.client(&upstream, &[("timeout", "100ms")]).await;
    assert_eq!(kind(client.get("/").send().await), CallErrorKind::Timeout);
}

#[doyen_test::test(sqlite)]
async fn a_response_that_is_too_large_is_refused_before_it_is_read(shop: Shop) {
    let upstream = UpstreamServer::start();
    let client = shop.client(&upstream, &[("max_response", "64 KiB")]).await;
    upstream.reply(Reply::status(200).body(vec![b'x'; 64 << 10]));
    assert_eq!(status(client.get("/").send().await), 200);
    // Announced, and not announced.
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 10 << 20]].concat();
    for large in [
        Reply::status(200).body(vec![b'x'; (64 << 10) + 1]),
        Reply::status(200).wrong_length(1 << 40),
        Reply::garbage(endless),
    ] {
        upstream.reply(large);
        let before = upstream.requests().len();
        assert_eq!(kind(client.get("/").send().await), CallErrorKind::TooLarge);
        assert_eq!(upstream.requests().len(), before + 1, "it is not repeated");
    }
}

#[doyen_test::test(sqlite)]
async fn a_call_may_be_shorter_than_the_settings_but_not_longer(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200).hold());
    let client = shop.client(&upstream, &[("timeout", "100ms")]).await;
    let longer = client.get("/").timeout(Duration::from_secs(3_600));
    assert_eq!(kind(longer.send().await), CallErrorKind::Timeout);
    let shorter = client.get("/").timeout(Duration::from_millis(10));
    assert_eq!(kind(shorter.send().await), CallErrorKind::Timeout);
}
