//! What an operator reads and changes on the admin address.

use std::time::Duration;

use doyen::outbound::{CallErrorKind, Client};
use doyen_test::{Reply, TestApp, UpstreamServer};
use serde_json::{Value, json};

use crate::support::{Payments, Shop, admin, kind, metrics, send_admin, status};

const SETTINGS: &[(&str, &str)] = &[
    ("tries", "1"),
    ("breaker_window", "2"),
    ("breaker_trials", "1"),
];

fn host(upstream: &UpstreamServer) -> String {
    let url = upstream.url();
    let (_, rest) = url.split_once("//").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

/// The breaker of the upstream.
async fn breaker(app: &TestApp, host: &str) -> Value {
    let (status, text) = admin(app, "/breakers").await;
    assert_eq!(status, 200, "{text}");
    let all: Value = serde_json::from_str(&text).unwrap();
    let mut all = all["breakers"].as_array().unwrap().clone().into_iter();
    let found = all.find(|one| one["host"] == host);
    found.unwrap_or_else(|| panic!("no {host} in {text}"))
}

async fn set(app: &TestApp, host: &str, state: &str) -> (u16, String) {
    let body = json!({"client": "payments", "host": host, "state": state}).to_string();
    send_admin(app, "PUT", "/breakers", "application/json", &body).await
}

#[doyen_test::test(sqlite)]
async fn an_operator_sees_a_breaker_and_closes_it(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, host) = (shop.with(&upstream, SETTINGS).await, host(&upstream));
    let client: Client<Payments> = app.inject().await;
    let before = breaker(&app, &host).await;
    assert_eq!(before["state"], "closed", "before the first call");
    assert_eq!(before["tries"], 0);

    upstream.always(Reply::status(503));
    assert_eq!(status(client.get("/").send().await), 503);
    let counted = breaker(&app, &host).await;
    assert_eq!(
        (&counted["tries"], &counted["failures"]),
        (&json!(1), &json!(1))
    );
    app.clock().advance(Duration::from_secs(1));
    assert_eq!(status(client.get("/").send().await), 503);
    let open = breaker(&app, &host).await;
    assert_eq!(open["state"], "open");
    assert_ne!(open["since"], before["since"]);
    assert_eq!(open["pause_seconds"], 30.0);
    assert_eq!(
        kind(client.get("/").send().await),
        CallErrorKind::BreakerOpen
    );

    // It is closed at once, and the failures before do not count.
    upstream.always(Reply::status(200));
    let (code, text) = set(&app, &host, "closed").await;
    assert_eq!(code, 200, "{text}");
    assert!(text.contains("\"state\":\"closed\""), "{text}");
    assert_eq!(status(client.get("/").send().await), 200);
    assert_eq!(breaker(&app, &host).await["failures"], 0);
    let (_, report) = admin(&app, "/diagnostics").await;
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["breakers"][0]["host"], host);
}

#[doyen_test::test(sqlite)]
async fn a_forced_breaker_stays_open_until_it_is_closed(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200));
    let (app, host) = (shop.with(&upstream, SETTINGS).await, host(&upstream));
    let client: Client<Payments> = app.inject().await;
    let held = upstream.reply(Reply::status(200).hold());
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.get("/").send().await }
    });
    held.received(1).await;
    assert_eq!(set(&app, &host, "forced_open").await.0, 200);
    // A call that runs is not interrupted, and changes nothing.
    upstream.release(1);
    assert_eq!(status(running.await.unwrap()), 200);
    for _ in 0..3 {
        app.clock().advance(Duration::from_secs(3_600));
        let refused = client.get("/").send().await;
        assert_eq!(kind(refused), CallErrorKind::BreakerOpen);
    }
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(breaker(&app, &host).await["state"], "forced_open");
    let text = metrics(&app).await;
    let open = "outbound_breakers{client=\"payments\",state=\"open\"} 1";
    assert!(text.contains(open), "{text}");
    let (_, health) = admin(&app, "/readyz?verbose").await;
    assert!(
        health.contains("circuit breaker open: `payments`"),
        "{health}"
    );

    assert_eq!(set(&app, &host, "closed").await.0, 200);
    assert_eq!(status(client.get("/").send().await), 200);
}

#[doyen_test::test(sqlite)]
async fn a_mistake_of_an_operator_is_a_problem_and_changes_nothing(shop: Shop) {
    let upstream = UpstreamServer::start();
    let (app, host) = (shop.with(&upstream, SETTINGS).await, host(&upstream));
    let json = "application/json";
    let put = |media_type, body: Value| {
        let body = body.to_string();
        let app = app.clone();
        async move { send_admin(&app, "PUT", "/breakers", media_type, &body).await }
    };
    let forced = |client: &str, host: &str, state: &str| json!({"client": client, "host": host, "state": state});
    for (body, code, part) in [
        (
            forced("payments", "other:443", "forced_open"),
            404,
            "not_found",
        ),
        (forced("unknown", &host, "forced_open"), 404, "not_found"),
        (forced("payments", &host, "half_open"), 422, "/state"),
        (json!({"client": "payments", "host": host}), 422, "/state"),
        (json!([1]), 422, "must be an object"),
    ] {
        let (status, text) = put(json, body).await;
        assert_eq!(status, code, "{text}");
        assert!(text.contains(part), "{text}");
    }
    // What a page of another origin can send without asking first.
    let (status, text) = put("text/plain", forced("payments", &host, "forced_open")).await;
    assert_eq!(status, 415, "{text}");
    assert_eq!(breaker(&app, &host).await["state"], "closed");
    let public = app.get("/breakers").send().await;
    assert_eq!(public.status(), 404);

    let without = [SETTINGS, &[("breaker", "false")]].concat();
    let without = shop.with(&upstream, &without).await;
    assert_eq!(admin(&without, "/breakers").await.1, "{\"breakers\":[]}");
    assert_eq!(set(&without, &host, "forced_open").await.0, 404);
}
