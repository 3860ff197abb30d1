//! The check of responses against the document can fail, and gives the reason.

use doyen_test::Call;
use futures_util::FutureExt as _;
use serde_json::json;

use crate::shop::Shop;

/// Returns the message of the failed check of this request.
async fn violation(call: Call) -> String {
    let sent = std::panic::AssertUnwindSafe(call.send())
        .catch_unwind()
        .await;
    match sent {
        Ok(answer) => panic!("the violation was not detected:\n{answer}"),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    }
}

#[doyen_test::test(sqlite)]
async fn documented_responses_pass(shop: Shop) {
    shop.get("/lies/well").send().await.expect(200);
    shop.get("/shop/hour").send().await.expect(200);
    shop.head("/shop/hour").send().await.expect(200);
    shop.get("/shop/missing")
        .send()
        .await
        .expect_problem(404, "no_note");
    shop.get("/hidden").send().await.expect(299);
    shop.get("/nowhere")
        .send()
        .await
        .expect_problem(404, "not_found");
    shop.delete("/shop/hour")
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
}

#[doyen_test::test(sqlite)]
async fn an_undocumented_status_is_detected(shop: Shop) {
    let received = violation(shop.get("/lies/status")).await;
    assert!(
        received.contains(
            "GET /lies/status (`shop_status`) breaks its contract: the status 202 is not documented"
        ),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn another_media_type_is_detected(shop: Shop) {
    let received = violation(shop.get("/lies/media")).await;
    assert!(
        received.contains(
            "the media type `text/plain` is not documented for 200; documented is application/json"
        ),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn an_invalid_body_is_detected(shop: Shop) {
    let received = violation(shop.get("/lies/shape")).await;
    assert!(
        received.contains("\"truth\" is a required property"),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn an_undocumented_code_is_detected(shop: Shop) {
    let received = violation(shop.get("/lies/code")).await;
    assert!(
        received.contains("no_note") && received.contains("/code"),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn a_missing_header_is_detected(shop: Shop) {
    let received = violation(shop.post("/lies/header")).await;
    assert!(
        received.contains("the documented header `ETag` is missing"),
        "{received}"
    );
}

#[doyen_test::test(sqlite)]
async fn accepting_an_undocumented_request_is_detected(shop: Shop) {
    let received = violation(shop.post("/lies/body").json(&json!({"less": 1}))).await;
    assert!(
        received.contains("it accepted a body that the document forbids"),
        "{received}"
    );
    let received = violation(shop.post("/lies/body").body("text/plain", "more")).await;
    assert!(
        received.contains("it accepted a body of the media type `text/plain`"),
        "{received}"
    );
}
