//! The same response, other requests with the key, other callers, and retention.

use doyen::domain::secs;
use doyen::idempotency::KeyStore;
use std::sync::Arc;

use crate::app::{Shop, is_replayed, keyed, keyed_by, order, orders};

#[doyen_test::test]
async fn a_retry_gets_the_whole_response(app: Shop) {
    let first = order(&app, "k-1", "tea").send().await.expect(201);
    assert!(!is_replayed(&first));
    let again = order(&app, "k-1", "tea").send().await.expect(201);
    assert!(is_replayed(&again));
    assert_eq!(again.json(), first.json());
    assert_eq!(again.location(), first.location());
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(orders(&app).await, 1);
    // Another key, and no key, are other requests.
    order(&app, "k-2", "tea").send().await.expect(201);
    let unkeyed = app
        .post("/orders")
        .bearer("ann")
        .body("application/json", "{\"item\": \"tea\"}");
    assert!(!is_replayed(&unkeyed.send().await.expect(201)));
    assert_eq!(orders(&app).await, 3);
}

#[doyen_test::test]
async fn a_response_without_body_and_effect_is_replayed(app: Shop) {
    let send = || {
        app.post("/nothing")
            .bearer("ann")
            .header("idempotency-key", "k")
            .send()
    };
    assert!(!is_replayed(&send().await.expect(204)));
    assert!(is_replayed(&send().await.expect(204)));
}

#[doyen_test::test]
async fn another_body_route_or_query_is_refused(app: Shop) {
    order(&app, "k", "tea").send().await.expect(201);
    let reused = "idempotency_key_reused";
    order(&app, "k", "milk")
        .send()
        .await
        .expect_problem(422, reused);
    keyed(&app, "/keyed", "k", "tea")
        .send()
        .await
        .expect_problem(422, reused);
    // The order is the same, and the bytes are not.
    let spaced = app
        .post("/orders")
        .bearer("ann")
        .header("idempotency-key", "k");
    let spaced = spaced.body("application/json", "{ \"item\": \"tea\"}");
    spaced.send().await.expect_problem(422, reused);
    assert_eq!(orders(&app).await, 1);
}

#[doyen_test::test]
async fn keys_of_different_callers_are_unrelated(app: Shop) {
    let ann = order(&app, "k", "tea").send().await.expect(201);
    let bob = keyed_by("bob", &app, "/orders", "k", "tea")
        .send()
        .await
        .expect(201);
    assert!(!is_replayed(&bob));
    assert_ne!(ann.text_at("/id"), bob.text_at("/id"));
    // Anonymous callers are separated by their address.
    let from = |address: [u8; 4]| {
        let call = app
            .post("/keyed")
            .from_address(address)
            .header("idempotency-key", "k");
        call.body("application/json", "{\"item\": \"tea\"}").send()
    };
    assert!(!is_replayed(&from([192, 0, 2, 1]).await.expect(201)));
    assert!(!is_replayed(&from([192, 0, 2, 2]).await.expect(201)));
    assert!(is_replayed(&from([192, 0, 2, 1]).await.expect(201)));
    assert_eq!(orders(&app).await, 4);
}

#[doyen_test::test]
async fn permission_is_checked_again_at_a_replay(app: Shop) {
    let agent = || keyed_by("ann:agent", &app, "/orders", "k", "tea").send();
    agent().await.expect(201);
    assert!(is_replayed(&agent().await.expect(201)));
    // The role was taken away: the route itself does not ask for it.
    let demoted = keyed_by("ann", &app, "/orders", "k", "tea").send().await;
    demoted.expect_problem(403, "forbidden");
    let anonymous = keyed_by("", &app, "/orders", "k", "tea").send().await;
    anonymous.expect_problem(401, "invalid_token");
    assert!(is_replayed(&agent().await.expect(201)));
    assert_eq!(orders(&app).await, 1);
}

#[doyen_test::test]
async fn after_the_retention_a_key_is_new(app: Shop) {
    let first = order(&app, "k", "tea").send().await.expect(201);
    app.clock().advance(secs(24 * 3600 - 1));
    assert!(is_replayed(
        &order(&app, "k", "tea").send().await.expect(201)
    ));
    app.clock().advance(secs(1));
    let second = order(&app, "k", "tea").send().await.expect(201);
    assert!(!is_replayed(&second));
    assert_ne!(first.text_at("/id"), second.text_at("/id"));
    // Another request may use it too.
    app.clock().advance(secs(24 * 3600));
    order(&app, "k", "milk").send().await.expect(201);
    assert_eq!(orders(&app).await, 3);
    assert_eq!(app.count("idempotency_records").await, 1);
}

#[doyen_test::test]
async fn expired_rows_are_deleted(app: Shop) {
    for key in ["a", "b", "c"] {
        order(&app, key, "tea").send().await.expect(201);
        app.clock().advance(secs(3600));
    }
    let store = app.inject::<Arc<KeyStore>>().await;
    app.clock().advance(secs(22 * 3600));
    store.sweep().await.unwrap();
    assert_eq!(app.count("idempotency_records").await, 1);
    assert!(is_replayed(
        &order(&app, "c", "tea").send().await.expect(201)
    ));
    app.clock().advance(secs(3600));
    store.sweep().await.unwrap();
    assert_eq!(app.count("idempotency_records").await, 0);
}

#[doyen_test::test]
async fn a_response_that_is_not_stored_is_not_repeated(app: Shop) {
    let unavailable = "idempotency_response_unavailable";
    let first = keyed(&app, "/large", "l", "tea").send().await.expect(201);
    let again = keyed(&app, "/large", "l", "tea")
        .send()
        .await
        .expect_problem(409, unavailable);
    assert!(
        again.text_at("/detail").contains(&first.location()),
        "{again}"
    );
    keyed(&app, "/streamed", "s", "tea")
        .send()
        .await
        .expect(200);
    keyed(&app, "/streamed", "s", "tea")
        .send()
        .await
        .expect_problem(409, unavailable);
    assert_eq!(orders(&app).await, 2);
}
