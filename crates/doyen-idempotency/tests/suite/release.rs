//! Errors, panics and disconnects release the key.

use futures_util::FutureExt as _;

use crate::app::{Gate, Shop, is_replayed, keyed, order, orders};

#[doyen_test::test]
async fn an_error_releases_the_key(app: Shop) {
    for (path, status) in [
        ("/broken", 500),
        ("/panics", 500),
        ("/refused", 409),
        ("/stuck", 503),
    ] {
        for _ in 0..2 {
            let answer = keyed(&app, path, path, "tea").send().await.expect(status);
            assert!(!is_replayed(&answer));
        }
        // Not even for the same request.
        let other = keyed(&app, "/orders", path, "milk").send().await;
        assert!(!is_replayed(&other.expect(201)));
    }
    assert_eq!(orders(&app).await, 4);
}

#[doyen_test::test]
async fn an_invalid_request_does_not_use_the_key(app: Shop) {
    order(&app, "k", "")
        .send()
        .await
        .expect_problem(422, "invalid");
    let wrong = app
        .post("/orders")
        .bearer("ann")
        .header("idempotency-key", "k");
    wrong
        .body("text/plain", "tea")
        .send()
        .await
        .expect_problem(415, "unsupported_media_type");
    order(&app, "k", "tea").send().await.expect(201);
    assert_eq!(orders(&app).await, 1);
}

#[doyen_test::test]
async fn a_client_that_disconnects_releases_the_key(app: Shop) {
    let gate = Gate::of(&app).await;
    for path in ["/slow", "/early"] {
        let first = tokio::spawn(keyed(&app, path, path, "tea").send());
        gate.arrival().await;
        first.abort();
        assert!(first.await.is_err_and(|error| error.is_cancelled()));
        app.service().settled().await;
        // The release of a marker is not awaited by anything that a client sees.
        let answer = loop {
            gate.open(1);
            let answer = keyed(&app, path, path, "tea").send().await;
            match answer.status() {
                409 => drop(answer.expect_problem(409, "idempotency_in_flight")),
                _ => break answer.expect(201),
            }
        };
        assert!(!is_replayed(&answer));
        // Takes back what is left for the next round.
        while gate.leave.acquire().now_or_never().is_some_and(|permit| {
            permit.unwrap().forget();
            true
        }) {}
        gate.arrival().await;
    }
    assert_eq!(orders(&app).await, 2);
}
