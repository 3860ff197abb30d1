//! Requests, responses, the clock, the log, and replacements.

use std::sync::Arc;
use std::time::Duration;

use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

use crate::shop::{Shop, Word};

/// The shop with the values that its later routes need.
struct ConfiguredShop(TestApp);

impl Subject for ConfiguredShop {
    fn app() -> App {
        Shop::app()
    }
    fn setup() -> Setup {
        Setup::new()
            .replace(Arc::new(Word("a test's word")))
            .set("server.body_limit", "64 B")
            .module(Module::new("more").routes(routes![extra, reset]))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[get("/extra", allow = anyone)]
async fn extra() -> Text {
    Text("extra".into())
}

#[get("/resets/{token}", allow = anyone, mask_path)]
async fn reset(token: String) -> Text {
    Text(token)
}

#[doyen_test::test(sqlite)]
async fn a_masked_path_is_not_in_the_log(ConfiguredShop(app): ConfiguredShop) {
    app.get("/resets/s3cret?x=1").send().await;
    app.get("/resets/s3cret").send().await.expect(200);
    let log = app.log();
    assert_eq!(log.len(), 2, "{log:?}");
    for line in log {
        assert_eq!(line["path"], "/resets/{token}", "{line}");
        assert!(!line.to_string().contains("s3cret"), "{line}");
    }
}

#[doyen_test::test(sqlite)]
async fn replacements_take_effect(ConfiguredShop(app): ConfiguredShop) {
    assert_eq!(
        app.get("/shop/setting").send().await.expect(200).text(),
        "a test's word"
    );
    assert_eq!(app.get("/extra").send().await.expect(200).text(), "extra");
    app.post("/shop/notes")
        .json(&json!({"id": 1, "text": "x".repeat(100)}))
        .send()
        .await
        .expect_problem(413, "body_too_large");
}

#[doyen_test::test(sqlite)]
async fn the_clock_moves_only_by_the_test(shop: Shop) {
    let first = shop.get("/shop/hour").send().await.at("/now");
    assert_eq!(shop.get("/shop/hour").send().await.at("/now"), first);
    shop.clock().advance(Duration::from_secs(90));
    assert_eq!(
        shop.get("/shop/hour").send().await.at("/now"),
        "2026-11-22T08:31:30.000000Z"
    );
}

#[doyen_test::test(sqlite)]
async fn each_request_is_a_line_of_the_log(shop: Shop) {
    shop.get("/shop/notes?")
        .header("x-request-id", "mine")
        .send()
        .await
        .expect(200);
    shop.get("/nowhere").send().await.expect(404);
    let log = shop.log();
    assert_eq!(log.len(), 2, "{log:?}");
    assert_eq!(
        (&log[0]["request_id"], &log[0]["route"], &log[0]["queries"]),
        (&json!("mine"), &json!("/shop/notes"), &json!(1))
    );
    assert_eq!(log[1]["problem"], "not_found");
}

#[doyen_test::test(sqlite)]
async fn failures_are_listed_by_pointer_and_code(shop: Shop) {
    let answer = shop
        .post("/shop/notes")
        .json(&json!({"id": "one", "text": "", "more": 1}))
        .send()
        .await
        .expect(422);
    assert_eq!(
        answer.failures(),
        ["/id type", "/more unknown_field", "/text length"]
    );
    let work = std::panic::AssertUnwindSafe(|| answer.clone().expect(200));
    let received = std::panic::catch_unwind(work).unwrap_err();
    let received = received.downcast_ref::<String>().unwrap();
    assert!(
        received.contains("expected 200, got 422")
            && received.contains("POST /shop/notes")
            && received.contains("\"/text\""),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn a_query_is_encoded(shop: Shop) {
    let answer = shop
        .get("/shop/notes")
        .query("a b", "ü&=")
        .send()
        .await
        .expect(422);
    assert_eq!(answer.failures(), ["/a b unknown_parameter"]);
}

#[doyen_test::test(sqlite)]
async fn a_compressed_response_is_decompressed(shop: Shop) {
    let plain = shop.get("/openapi.json").send().await.expect(200);
    let packed = shop
        .get("/openapi.json")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .expect(200);
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.bytes(), plain.bytes());
    assert_eq!(packed.json()["openapi"], plain.json()["openapi"]);
}
