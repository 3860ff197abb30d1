//! The circuit breaker, counted at the upstream.

use std::time::Duration;

use doyen::outbound::{Addresses, CallErrorKind, Client};
use doyen_test::{Reply, TestApp, UpstreamServer};

use crate::support::{Hooks, Payments, Shop, admin, kind, metrics, status, until_metric};

const SETTINGS: &[(&str, &str)] = &[
    ("tries", "1"),
    ("breaker_window", "4"),
    ("breaker_failures", "50"),
    ("breaker_pause", "30s"),
    ("breaker_trials", "3"),
];
const PAUSE: Duration = Duration::from_secs(30);

/// Opens the breaker: of four tries, two fail.
async fn opened(shop: &Shop, upstream: &UpstreamServer) -> (TestApp, Client<Payments>) {
    for code in [200, 500, 404] {
        upstream.reply(Reply::status(code));
    }
    upstream.reply(Reply::reset());
    let app = shop.with(upstream, SETTINGS).await;
    let client: Client<Payments> = app.inject().await;
    for expected in [200, 500, 404] {
        assert_eq!(status(client.get("/").send().await), expected);
    }
    assert_eq!(kind(client.get("/").send().await), CallErrorKind::Transport);
    (app, client)
}

/// Makes calls at the same time. Returns how many succeeded, and how many the breaker refused.
async fn at_once(client: &Client<Payments>, upstream: &UpstreamServer, calls: usize) -> [usize; 2] {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..calls {
        let client = client.clone();
        tasks.spawn(async move { client.get("/").send().await });
    }
    let (mut succeeded, mut refused) = (0, 0);
    let before = upstream.requests().len();
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            Ok(_) => succeeded += 1,
            Err(error) => {
                assert_eq!(error.kind(), CallErrorKind::BreakerOpen);
                assert!(error.retry_after().is_some());
                refused += 1;
            }
        }
        // The held ones end only after all others.
        if succeeded + refused == calls - 3 {
            let arrived = upstream.requests().len().max(before);
            upstream.received(arrived).await;
            upstream.release(3);
        }
    }
    [succeeded, refused]
}

#[doyen_test::test(sqlite)]
async fn an_open_breaker_lets_nothing_through_until_the_pause_is_over(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    for _ in 0..10 {
        assert_eq!(
            kind(client.get("/").send().await),
            CallErrorKind::BreakerOpen
        );
    }
    app.clock().advance(PAUSE - Duration::from_secs(1));
    assert_eq!(
        kind(client.get("/").send().await),
        CallErrorKind::BreakerOpen
    );
    assert_eq!(upstream.requests().len(), 4);
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(status(client.get("/").send().await), 200);
    assert_eq!(upstream.requests().len(), 5);
}

#[doyen_test::test(sqlite)]
async fn exactly_n_trials_reach_the_upstream_and_close_the_breaker(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    upstream.always(Reply::status(200).hold());
    app.clock().advance(PAUSE);
    assert_eq!(at_once(&client, &upstream, 20).await, [3, 17]);
    assert_eq!(upstream.requests().len(), 4 + 3);
    // It is closed: the failures before do not count.
    upstream.always(Reply::status(200));
    for _ in 0..10 {
        assert_eq!(status(client.get("/").send().await), 200);
    }
}

#[doyen_test::test(sqlite)]
async fn one_failed_trial_opens_it_again(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    for round in 1..=3 {
        app.clock().advance(PAUSE);
        upstream.reply(Reply::status(200)).reply(Reply::status(503));
        assert_eq!(status(client.get("/").send().await), 200);
        assert_eq!(status(client.get("/").send().await), 503);
        for _ in 0..5 {
            assert_eq!(
                kind(client.get("/").send().await),
                CallErrorKind::BreakerOpen
            );
        }
        assert_eq!(upstream.requests().len(), 4 + 2 * round);
    }
}

#[doyen_test::test(sqlite)]
async fn a_cancelled_trial_has_failed_and_no_other_takes_its_place(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    app.clock().advance(PAUSE);
    upstream.always(Reply::status(200).hold());
    let cancelled = {
        let client = client.clone();
        tokio::spawn(async move { client.get("/").send().await })
    };
    upstream.received(5).await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    for _ in 0..5 {
        assert_eq!(
            kind(client.get("/").send().await),
            CallErrorKind::BreakerOpen
        );
    }
    assert_eq!(upstream.requests().len(), 5);
}

#[doyen_test::test(sqlite)]
async fn a_clock_that_was_set_back_does_not_keep_it_open(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    let hour = Duration::from_secs(3_600);
    let now = doyen::domain::Clock::now(app.clock());
    app.clock().set(now - hour);
    assert_eq!(status(client.get("/").send().await), 200);
}

#[doyen_test::test(sqlite)]
async fn one_bad_host_does_not_keep_others_from_being_called(shop: Shop) {
    let (bad, good) = (UpstreamServer::start(), UpstreamServer::start());
    bad.always(Reply::status(500));
    let app = shop.with(&good, &[]).await;
    let client: Client<Hooks> = app.inject().await;
    let call = async |upstream: &UpstreamServer| {
        let call = client.post(format!("{}/hook", upstream.url()));
        call.addresses(Addresses::Any).send().await
    };
    for _ in 0..20 {
        assert_eq!(status(call(&bad).await), 500);
    }
    assert_eq!(kind(call(&bad).await), CallErrorKind::BreakerOpen);
    assert_eq!(status(call(&good).await), 200);
    // Hosts from outside are no part of the health of this service.
    assert!(
        !admin(&app, "/readyz?verbose")
            .await
            .1
            .contains("circuit breaker")
    );
    until_metric(&app, r#"outbound_breakers{client="hooks",state="open"} 1"#).await;
}

#[doyen_test::test(sqlite)]
async fn an_upstream_that_hangs_opens_it_also_if_the_deadline_ends_the_tries(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200).hold());
    let settings = [("tries", "1"), ("breaker_window", "4"), ("timeout", "50ms")];
    let client = shop.client(&upstream, &settings).await;
    for _ in 0..4 {
        assert_eq!(kind(client.get("/").send().await), CallErrorKind::Timeout);
    }
    assert_eq!(
        kind(client.get("/").send().await),
        CallErrorKind::BreakerOpen
    );
}

#[doyen_test::test(sqlite)]
async fn the_state_is_in_metrics_and_health_and_the_service_stays_ready(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, client) = opened(&shop, &upstream).await;
    assert_eq!(
        kind(client.get("/").send().await),
        CallErrorKind::BreakerOpen
    );
    let (status, text) = admin(&app, "/readyz?verbose").await;
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("circuit breaker open: `payments`"), "{text}");
    let text = metrics(&app).await;
    for line in [
        r#"outbound_breakers{client="payments",state="open"} 1"#,
        r#"outbound_calls_total{client="payments",result="2xx"} 1"#,
        r#"outbound_calls_total{client="payments",result="4xx"} 1"#,
        r#"outbound_calls_total{client="payments",result="5xx"} 1"#,
        r#"outbound_calls_total{client="payments",result="transport"} 1"#,
        r#"outbound_calls_total{client="payments",result="breaker_open"} 1"#,
        r#"outbound_tries_total{client="payments"} 4"#,
        r#"outbound_call_seconds_count{client="payments"} 5"#,
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    // A handler gets a 503 for it, without a call.
    app.get("/balance")
        .send()
        .await
        .expect_problem(503, "unavailable");
    assert_eq!(upstream.requests().len(), 4);
}
