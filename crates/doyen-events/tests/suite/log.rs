//! The event log: a reader that remembers its position misses nothing.

use std::sync::Arc;
use std::time::Duration;

use doyen::domain::event::EventLog;
use doyen_test::Setup;

use crate::orders::{Shop, quick, until};

#[doyen_test::test]
async fn a_reader_continues_after_its_position(shop: Shop) {
    let log = shop.inject::<Arc<dyn EventLog>>().await;
    let begin = log.last_position().await.unwrap();
    for n in 0..3 {
        shop.place("a", n).await;
        shop.place("b", n).await;
    }
    shop.is_quiet().await;
    let page = log.after("order:a", begin, 2).await.unwrap();
    assert!(!page.has_gap);
    let payloads = |events: &[doyen::domain::event::RecordedEvent]| -> Vec<String> {
        events.iter().map(|event| event.payload.clone()).collect()
    };
    let of = |n: i32| format!(r#"{{"order":"a","n":{n}}}"#);
    assert_eq!(payloads(&page.events), [of(0), of(1)]);
    assert_eq!(page.events[0].key(), Some("a"));
    let rest = log
        .after("order:a", page.events[1].position, 100)
        .await
        .unwrap();
    assert_eq!(payloads(&rest.events), [of(2)]);
    let all = log.after_topic("order.*", begin, 100).await.unwrap();
    assert_eq!(all.events.len(), 6);
    assert!(all.events.is_sorted_by_key(|event| event.position));
    assert!(
        log.after_topic("bill.*", begin, 100)
            .await
            .unwrap()
            .events
            .is_empty()
    );
}

/// Old events are removed, those that wait are not, and a reader learns that it missed some.
#[doyen_test::test]
async fn the_log_is_bounded_and_a_late_reader_gets_a_gap(shop: Shop) {
    for n in 0..5 {
        shop.place("a", n).await;
    }
    shop.is_quiet().await;
    shop.runtime().stop().await;
    let quiet = Setup::new().set("events.deliver", "false");
    let emitter = shop.another(quiet).await;
    crate::orders::place_on(&emitter, "waits", 0).await;
    // The outbox has the time of the machine; the clean-up that of the application's clock.
    shop.clock().advance(Duration::from_secs(400 * 24 * 3600));
    crate::orders::REFUSED
        .lock()
        .unwrap()
        .insert("waits".to_owned());
    let shop = Shop(shop.another(quick()).await);
    shop.has_parked(1).await;
    until(async || {
        let left = shop.count("doyen_outbox").await;
        (left == 1).then_some(())
    })
    .await;
    let log = shop.inject::<Arc<dyn EventLog>>().await;
    assert!(log.after("order:a", 0, 100).await.unwrap().has_gap);
    let last = log.last_position().await.unwrap();
    assert!(!log.after("order:a", last, 100).await.unwrap().has_gap);
    assert_eq!(
        log.after("order:waits", 0, 100).await.unwrap().events.len(),
        1
    );
}
