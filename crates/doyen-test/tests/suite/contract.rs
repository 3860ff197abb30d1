//! The check of every answer against the document can fail, and says why.

use doyen_test::Call;
use futures_util::FutureExt as _;
use serde_json::json;

use crate::shop::Shop;

/// The message of the failure that sending this gives.
async fn violation(call: Call) -> String {
    let sent = std::panic::AssertUnwindSafe(call.send())
        .catch_unwind()
        .await;
    match sent {
        Ok(answer) => panic!("it was not noticed:\n{answer}"),
        Err(panic) => panic.downcast_ref::<String>().unwrap().clone(),
    }
}

#[doyen_test::test(sqlite)]
async fn honest_answers_pass(shop: Shop) {
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
async fn an_undocumented_status_is_noticed(shop: Shop) {
    let told = violation(shop.get("/lies/status")).await;
    assert!(
        told.contains(
            "GET /lies/status (`shop_status`) breaks its contract: the status 202 is not documented"
        ),
        "{told}"
    );
}

#[doyen_test::test(sqlite)]
async fn another_media_type_is_noticed(shop: Shop) {
    let told = violation(shop.get("/lies/media")).await;
    assert!(
        told.contains(
            "the media type `text/plain` is not documented for 200; documented is application/json"
        ),
        "{told}"
    );
}

#[doyen_test::test(sqlite)]
async fn a_body_that_does_not_fit_is_noticed(shop: Shop) {
    let told = violation(shop.get("/lies/shape")).await;
    assert!(told.contains("\"truth\" is a required property"), "{told}");
}

#[doyen_test::test(sqlite)]
async fn a_code_that_is_not_listed_is_noticed(shop: Shop) {
    let told = violation(shop.get("/lies/code")).await;
    assert!(told.contains("no_note") && told.contains("/code"), "{told}");
}

#[doyen_test::test(sqlite)]
async fn a_missing_header_field_is_noticed(shop: Shop) {
    let told = violation(shop.post("/lies/header")).await;
    assert!(
        told.contains("the documented header field `ETag` is missing"),
        "{told}"
    );
}

#[doyen_test::test(sqlite)]
async fn accepting_what_the_document_forbids_is_noticed(shop: Shop) {
    let told = violation(shop.post("/lies/body").json(&json!({"less": 1}))).await;
    assert!(
        told.contains("it accepted a body that the document forbids"),
        "{told}"
    );
    let told = violation(shop.post("/lies/body").body("text/plain", "more")).await;
    assert!(
        told.contains("it accepted a body of the media type `text/plain`"),
        "{told}"
    );
}
