//! The bulkhead: bounded concurrent and waiting calls.

use doyen::outbound::{CallErrorKind, Client};
use doyen_test::{Reply, UpstreamServer};

use crate::support::{Payments, Shop, kind, status, until_metric};

#[doyen_test::test(sqlite)]
async fn calls_wait_for_a_place_and_too_many_fail_at_once(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200).hold());
    let settings = [("max_concurrent", "2"), ("max_waiting", "3")];
    let app = shop.with(&upstream, &settings).await;
    let client: Client<Payments> = app.inject().await;
    let mut tasks = tokio::task::JoinSet::new();
    let mut start = || {
        let client = client.clone();
        tasks.spawn(async move { client.get("/").send().await })
    };
    for _ in 0..5 {
        start();
    }
    upstream.received(2).await;
    until_metric(&app, r#"outbound_waiting_calls{client="payments"} 3"#).await;
    for _ in 0..10 {
        assert_eq!(kind(client.get("/").send().await), CallErrorKind::Saturated);
    }
    // A call that is cancelled leaves the queue.
    let cancelled = {
        upstream.release(1);
        upstream.received(3).await;
        until_metric(&app, r#"outbound_waiting_calls{client="payments"} 2"#).await;
        start()
    };
    until_metric(&app, r#"outbound_waiting_calls{client="payments"} 3"#).await;
    cancelled.abort();
    until_metric(&app, r#"outbound_waiting_calls{client="payments"} 2"#).await;
    assert_eq!(upstream.requests().len(), 3, "never more than two at once");
    upstream.release(100);
    let mut succeeded = 0;
    while let Some(result) = tasks.join_next().await {
        match result {
            Ok(result) => succeeded += usize::from(status(result) == 200),
            Err(error) => assert!(error.is_cancelled()),
        }
    }
    assert_eq!((succeeded, upstream.requests().len()), (5, 5));
    until_metric(&app, r#"outbound_running_calls{client="payments"} 0"#).await;
}

#[doyen_test::test(sqlite)]
async fn the_wait_for_a_place_is_part_of_the_time_of_a_call(shop: Shop) {
    let upstream = UpstreamServer::start();
    upstream.always(Reply::status(200).hold());
    let client = shop.client(&upstream, &[("max_concurrent", "1")]).await;
    let running = {
        let client = client.clone();
        tokio::spawn(async move { client.get("/").send().await })
    };
    upstream.received(1).await;
    let call = client
        .get("/")
        .timeout(std::time::Duration::from_millis(50));
    assert_eq!(kind(call.send().await), CallErrorKind::Timeout);
    assert_eq!(upstream.requests().len(), 1);
    upstream.release(1);
    assert_eq!(status(running.await.unwrap()), 200);
}
