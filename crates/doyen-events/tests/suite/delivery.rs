//! Events reach their handlers after the commit, once, in order.

use std::collections::{HashMap, HashSet};

use doyen::domain::Access;
use doyen_test::{Setup, scale};
use futures_util::future::join_all;

use crate::orders::{Effect, OrderEvent, Shop, place_on, quick, until};

#[doyen_test::test]
async fn an_event_is_delivered_after_the_commit_and_not_after_a_rollback(shop: Shop) {
    shop.post("/failed/a")
        .send()
        .await
        .expect_problem(500, "internal");
    shop.place("a", 1).await;
    let effects = shop.has_effects("record", 1).await;
    assert_eq!(
        (effects[0].aggregate.as_str(), effects[0].n),
        ("order:a", 1)
    );
    shop.is_quiet().await;
    assert_eq!(shop.effects("record").await.len(), 1);
    assert_eq!(shop.count("doyen_outbox").await, 1);
}

#[doyen_test::test]
async fn a_handler_emits_in_its_own_unit_of_work_and_keeps_the_trace(shop: Shop) {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let call = shop.post("/paid/a").header("traceparent", trace);
    call.send().await.expect(204);
    let bills = shop.has_effects("watch", 1).await;
    assert_eq!(bills[0].aggregate, "bill:a");
    let kept = bills[0].trace.clone().unwrap();
    assert_eq!(kept[..36], trace[..36], "the trace of the request");
    assert_ne!(kept, trace, "and a span of its own");
}

/// Checks that each aggregate has the numbers from 0, each once, in order.
fn in_order(effects: &[Effect], aggregates: usize, events: i64) {
    let mut next: HashMap<&str, i64> = HashMap::new();
    for effect in effects {
        let expected = next.entry(&effect.aggregate).or_insert(0);
        assert_eq!(effect.n, *expected, "{}", effect.aggregate);
        *expected += 1;
    }
    assert_eq!(next.len(), aggregates);
    assert!(next.values().all(|count| *count == events), "{next:?}");
    let events: HashSet<&str> = effects.iter().map(|effect| effect.event.as_str()).collect();
    assert_eq!(events.len(), effects.len(), "an event was delivered twice");
}

#[doyen_test::test]
async fn each_aggregate_keeps_its_order_over_two_nodes(shop: Shop) {
    // A lease must outlast the wait for the only writer of SQLite: after a lost one, another node
    // claims the event, and each claim counts as an attempt.
    let patient = || Setup::new().set("events.pause", "1ms");
    shop.runtime().stop().await;
    let shop = Shop(shop.another(patient()).await);
    let other = shop.another(patient()).await;
    let (aggregates, events) = (12, i64::try_from(scale(15, 200)).unwrap());
    let emit = |aggregate: usize| {
        let nodes = [&shop.0, &other];
        async move {
            for n in 0..events {
                let node = nodes[usize::try_from(n).unwrap() % 2];
                place_on(node, &format!("o{aggregate}"), n).await;
            }
        }
    };
    join_all((0..aggregates).map(emit)).await;
    let total = aggregates * usize::try_from(events).unwrap();
    in_order(&shop.has_effects("record", total).await, aggregates, events);
    shop.is_quiet().await;
    assert_eq!(shop.effects("record").await.len(), total);
}

/// A position of a cursor would have passed the first event before it was visible.
#[doyen_test::test(postgres)]
async fn an_event_of_a_slow_transaction_is_not_skipped(shop: Shop) {
    let slow = shop.database().session(Access::Write);
    let order = "slow".to_owned();
    slow.emit(&OrderEvent::Placed { order, n: 1 })
        .await
        .unwrap();
    shop.place("quick", 2).await;
    shop.has_effects("record", 1).await;
    shop.is_quiet().await;
    slow.commit().await.unwrap();
    let effects = shop.has_effects("record", 2).await;
    assert_eq!(effects[0].aggregate, "order:quick");
    assert_eq!(effects[1].aggregate, "order:slow");
}

/// Events that were emitted while no process delivers are delivered by the next one.
#[doyen_test::test]
async fn events_wait_for_a_process_that_delivers(shop: Shop) {
    shop.runtime().stop().await;
    let quiet = shop
        .another(Setup::new().set("events.deliver", "false"))
        .await;
    for n in 0..3 {
        place_on(&quiet, "a", n).await;
    }
    let shop = Shop(shop.another(quick()).await);
    in_order(&shop.has_effects("record", 3).await, 1, 3);
}

/// A database of the version before the plugin: its rows are kept and delivered.
#[doyen_test::test]
async fn rows_of_the_former_outbox_are_delivered(shop: Shop) {
    shop.runtime().stop().await;
    let quiet = Setup::new().set("events.deliver", "false");
    let shop = Shop(shop.another(quiet).await);
    let is_sqlite = shop.database().backend() == doyen::data::sea_orm::DbBackend::Sqlite;
    let (id, time) = if is_sqlite {
        ("blob", "text")
    } else {
        ("uuid", "timestamptz")
    };
    shop.execute("DROP TABLE doyen_outbox", []).await;
    let strict = if is_sqlite { "STRICT" } else { "" };
    let table = format!(
        "CREATE TABLE doyen_outbox (id {id} PRIMARY KEY NOT NULL, topic text NOT NULL,
         payload text NOT NULL, created_at {time} NOT NULL, delivered_at {time}, trace text) {strict}"
    );
    shop.execute(&table, []).await;
    let index = "CREATE INDEX doyen_outbox_waiting ON doyen_outbox (created_at, id)
                 WHERE delivered_at IS NULL";
    shop.execute(index, []).await;
    for n in 0..3_i64 {
        let row = "INSERT INTO doyen_outbox (id, topic, payload, created_at)
                   VALUES ($1, 'order.placed', $2, $3)";
        let payload = format!(r#"{{"order":"old","n":{n}}}"#);
        let at = doyen::data::sea_orm::prelude::DateTimeUtc::from_timestamp(1_700_000_000 + n, 0);
        let id = doyen::data::sea_orm::prelude::Uuid::now_v7();
        let parameters = [id.into(), payload.into(), at.unwrap().into()];
        shop.execute(row, parameters).await;
    }
    let history = "DELETE FROM doyen_migrations WHERE owner = 'doyen' AND version = 2";
    assert_eq!(shop.execute(history, []).await, 1);
    let shop = Shop(shop.another(quick()).await);
    let effects = shop.has_effects("record", 3).await;
    let numbers: HashSet<i64> = effects.iter().map(|effect| effect.n).collect();
    assert_eq!(numbers, HashSet::from([0, 1, 2]));
}

/// The counters and the health of the relay.
#[doyen_test::test]
async fn deliveries_are_counted(shop: Shop) {
    for n in 0..4 {
        shop.place("a", n).await;
    }
    shop.has_effects("record", 4).await;
    shop.is_quiet().await;
    let runtime = shop.runtime();
    let metrics = runtime
        .get::<std::sync::Arc<doyen::app::Metrics>>()
        .await
        .unwrap();
    let health = runtime
        .get::<std::sync::Arc<doyen::app::Health>>()
        .await
        .unwrap();
    until(async || {
        let text = metrics.render(&health).await;
        let delivered = text.contains("events_delivered_total{handler=\"record\"} 4\n");
        let idle = text.contains("events_outbox_waiting 0\n") && text.contains("events_parked 0\n");
        let healthy = text.contains("health_check_up{check=\"events\"} 1");
        (delivered && idle && healthy && text.contains("events_outbox_lag_seconds 0\n"))
            .then_some(())
    })
    .await;
}
