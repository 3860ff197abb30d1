//! Server-sent events: delivery, resume, comments, the end of a stream.

use std::time::Duration;

use doyen_test::Setup;

use crate::kit::{EventSource, Shop, key, quick};

#[doyen_test::test]
async fn an_event_arrives_after_its_commit_and_never_after_a_rollback(app: Shop) {
    let server = app.serve().await;
    let mut source = EventSource::watch(&server, &key("buyer"), "a", "").await;
    let head = source.head.to_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    assert!(!head.contains("content-encoding"), "{head}");
    app.post("/failed/a").send().await.expect(500);
    app.place("b", 7).await;
    app.place("a", 1).await;
    let event = source.event().await.unwrap();
    assert_eq!(event.field("event"), Some("order.placed"));
    assert_eq!(event.n(), 1);
    assert!(event.field("id").unwrap().parse::<i64>().unwrap() > 0);
}

#[doyen_test::test]
async fn a_client_resumes_after_the_last_event_that_it_has(app: Shop) {
    let server = app.serve().await;
    let key = key("buyer");
    let mut first = EventSource::watch(&server, &key, "a", "").await;
    // More than one page of the log.
    app.place_many("a", 0, 450).await;
    app.place("other", 1).await;
    let seen = loop {
        let event = first.event().await.unwrap();
        if event.n() == 99 {
            break event.field("id").unwrap().to_owned();
        }
    };
    drop(first);
    let mut second = EventSource::watch(&server, &key, "a", &seen).await;
    app.place("a", 450).await;
    let mut last = seen.parse::<i64>().unwrap();
    for n in 100..=450 {
        let event = second.event().await.unwrap();
        assert_eq!(event.n(), n, "each event once and in order");
        let id = event.field("id").unwrap().parse::<i64>().unwrap();
        assert!(id > last);
        last = id;
    }
}

#[doyen_test::test]
async fn a_client_that_was_away_too_long_is_told_to_reload(app: Shop) {
    let server = app.serve().await;
    let key = key("buyer");
    app.place_many("a", 0, 10).await;
    let mut known = EventSource::watch(&server, &key, "a", "0").await;
    for n in 0..10 {
        assert_eq!(known.event().await.unwrap().n(), n);
    }
    // What the clean-up of the log does.
    app.execute("DELETE FROM doyen_outbox WHERE position <= 5", [])
        .await;
    app.execute("UPDATE events_head SET swept = 5", []).await;
    for id in ["3", "999999", "not-an-id", "-4"] {
        let mut source = EventSource::watch(&server, &key, "a", id).await;
        let reload = source.event().await.unwrap();
        assert_eq!(reload.field("event"), Some("reload"), "{id}");
        assert_eq!(reload.field("id"), Some("10"), "{id}");
    }
    let mut source = EventSource::watch(&server, &key, "a", "5").await;
    assert_eq!(source.event().await.unwrap().n(), 5);
}

#[doyen_test::test(sqlite)]
async fn a_reader_sees_only_what_it_may_see(app: Shop) {
    let server = app.serve().await;
    let mut buyer = EventSource::watch(&server, &key("buyer"), "a", "").await;
    let mut owner = EventSource::watch(&server, &key("owner"), "a", "").await;
    app.post("/secrets/a/1").send().await.expect(204);
    app.place("a", 2).await;
    assert_eq!(buyer.event().await.unwrap().n(), 2);
    let secret = owner.event().await.unwrap();
    assert_eq!(
        (secret.field("event"), secret.n()),
        (Some("order.secret"), 1)
    );
    assert_eq!(owner.event().await.unwrap().n(), 2);
}

struct Commented(Shop);

impl doyen_test::Subject for Commented {
    fn app() -> doyen::App {
        Shop::app()
    }
    fn setup() -> Setup {
        quick().set("live.comment_interval", "50ms")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(Shop::new(app))
    }
}

#[doyen_test::test(sqlite)]
async fn a_silent_stream_sends_comments(app: Commented) {
    let server = app.0.serve().await;
    let mut source = EventSource::watch(&server, &key("buyer"), "a", "").await;
    for _ in 0..3 {
        assert_eq!(source.next().await.unwrap().0, ": keep-alive\n\n");
    }
}

#[doyen_test::test(sqlite)]
async fn a_drain_ends_streams_and_says_when_to_reconnect(app: Shop) {
    let mut server = app.serve().await;
    let mut sources = Vec::new();
    for _ in 0..3 {
        sources.push(EventSource::watch(&server, &key("buyer"), "a", "").await);
    }
    server.stop();
    let mut waits = Vec::new();
    for source in &mut sources {
        let end = source.rest().await;
        let wait = end
            .trim()
            .strip_prefix("retry: ")
            .expect("a time to reconnect");
        waits.push(wait.parse::<u64>().unwrap());
    }
    assert!(waits.iter().all(|wait| *wait <= 5000), "{waits:?}");
    assert!(
        waits.windows(2).any(|pair| pair[0] != pair[1]),
        "spread: {waits:?}"
    );
    tokio::time::timeout(Duration::from_secs(10), server.stopped())
        .await
        .expect("no stream holds up the stop");
}

#[doyen_test::test(sqlite)]
async fn an_anonymous_caller_gets_a_401(app: Shop) {
    let server = app.serve().await;
    let source = EventSource::open(&server, "/orders/a/events", "").await;
    assert!(source.head.starts_with("HTTP/1.1 401"), "{}", source.head);
}
