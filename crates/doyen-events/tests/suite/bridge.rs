//! Events through a broker: published by one application, consumed by another one.

use std::sync::Arc;

use doyen::App;
use doyen::domain::event::Broker as _;
use doyen::events::BrokerOverride;
use doyen::events::broker::MemoryBroker;
use doyen_test::{Setup, scale};

use crate::orders::{Shop, effects_in, place_on, quick, until};
use crate::servers::{Kind, Server};

fn with(broker: &MemoryBroker, setup: Setup) -> Setup {
    let broker = BrokerOverride(Arc::new(broker.clone()));
    setup.edit(move |app: App| app.contribute(broker))
}

fn numbers(broker: &MemoryBroker) -> Vec<String> {
    let messages = broker.messages();
    messages.iter().map(|one| one.payload.clone()).collect()
}

#[doyen_test::test]
async fn a_broker_that_is_down_holds_back_no_handler_and_loses_nothing(shop: Shop) {
    shop.runtime().stop().await;
    let broker = MemoryBroker::default();
    let shop = Shop(shop.another(with(&broker, quick())).await);
    broker.set_down(true);
    for n in 0..20 {
        shop.place("a", n).await;
    }
    shop.has_effects("record", 20).await;
    assert!(broker.messages().is_empty());
    broker.set_down(false);
    shop.is_quiet().await;
    let expected: Vec<_> = (0..20)
        .map(|n| format!(r#"{{"order":"a","n":{n}}}"#))
        .collect();
    assert_eq!(numbers(&broker), expected, "all, once, in order");
}

/// An application that consumes what it has published too: its own events come back and are
/// dropped, those of others reach its handlers once.
#[doyen_test::test]
async fn consumed_events_reach_the_handlers_once(shop: Shop) {
    shop.runtime().stop().await;
    let broker = MemoryBroker::default();
    let setup = with(&broker, quick().set("events.consume", r#"["order.*"]"#));
    let shop = Shop(shop.another(setup).await);
    shop.place("own", 0).await;
    let foreign = doyen::domain::event::BrokerMessage {
        id: "0199b5f0-0000-7000-8000-000000000001".to_owned(),
        topic: "order.placed".to_owned(),
        aggregate: Some("order:foreign".to_owned()),
        payload: r#"{"order":"foreign","n":7}"#.to_owned(),
        trace: None,
    };
    broker.publish(&foreign).await.unwrap();
    let unwanted = doyen::domain::event::BrokerMessage {
        id: "0199b5f0-0000-7000-8000-000000000002".to_owned(),
        topic: "other.thing".to_owned(),
        ..foreign.clone()
    };
    broker.publish(&unwanted).await.unwrap();
    shop.has_effects("record", 2).await;
    shop.place("own", 1).await;
    shop.has_effects("record", 3).await;
    until(async || (broker.messages().len() == 4).then_some(())).await;
    // A second group of the same application, such as after a change of its name, brings all
    // messages again.
    let again = quick()
        .set("events.consume", r#"["order.*"]"#)
        .set("events.group", "again");
    shop.runtime().stop().await;
    let shop = Shop(shop.another(with(&broker, again)).await);
    shop.place("own", 2).await;
    shop.has_effects("record", 4).await;
    until(async || {
        let known = shop.count("events_inbox").await;
        (known == 4).then_some(())
    })
    .await;
    shop.is_quiet().await;
    assert_eq!(shop.effects("record").await.len(), 4);
    assert_eq!(
        broker.messages().len(),
        5,
        "a consumed event is not published again"
    );
}

/// A real server that is killed and started while events are emitted: none is lost.
async fn survives(shop: Shop, kind: Kind) {
    let mut server = Server::start(kind);
    let url = server.url();
    let broker = match kind {
        Kind::Redis => [("events.broker", "redis"), ("redis.url", url.as_str())],
        Kind::Nats => [("events.broker", "nats"), ("nats.url", url.as_str())],
    };
    let set = |setup: Setup, (key, value): &(&str, &str)| setup.set(key, value);
    let setup = broker.iter().fold(quick(), set);
    shop.runtime().stop().await;
    let shop = Shop(shop.another(setup).await);
    let reader = Reader::start(&broker).await;
    let events = i64::try_from(scale(30, 300)).unwrap();
    for n in 0..events {
        place_on(&shop, "a", n).await;
        if n == events / 3 {
            server.kill();
        }
        if n == events * 2 / 3 {
            server.restart();
        }
    }
    let expected = usize::try_from(events).unwrap();
    let effects = until(async || {
        let effects = effects_in(reader.runtime.database(), "record").await;
        (effects.len() >= expected).then_some(effects)
    })
    .await;
    let order: Vec<i64> = effects.iter().map(|effect| effect.n).collect();
    assert_eq!(
        order,
        (0..events).collect::<Vec<_>>(),
        "all, once, in order"
    );
    reader.runtime.stop().await;
    let _ = std::fs::remove_dir_all(&reader.folder);
}

/// Another application, with a SQLite file of its own.
struct Reader {
    runtime: doyen::Runtime,
    folder: std::path::PathBuf,
}

impl Reader {
    async fn start(broker: &[(&str, &str)]) -> Self {
        let number = doyen::data::sea_orm::prelude::Uuid::now_v7();
        let folder = std::env::temp_dir().join(format!("doyen-events-reader-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite://{}", folder.join("reader.db").display());
        let loader = doyen::settings::Loader::new("APP")
            .set("database.url", url)
            .set(
                "auth.signing_key",
                "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
            )
            .set("events.poll", "50ms")
            .set("events.consume", r#"["order.*"]"#)
            .set("events.publish", "[]")
            .set("events.group", "reader");
        let set =
            |loader: doyen::settings::Loader, (key, value): &(&str, &str)| loader.set(*key, *value);
        let loader = broker.iter().fold(loader, set);
        let runtime = crate::orders::app()
            .start(loader, doyen::Overrides::default())
            .await;
        let runtime = runtime.unwrap_or_else(|error| panic!("{}", doyen::domain::chain(&error)));
        Self { runtime, folder }
    }
}

#[doyen_test::test]
async fn nats_that_is_killed_loses_no_event(shop: Shop) {
    survives(shop, Kind::Nats).await;
}

#[doyen_test::test]
async fn redis_that_is_killed_loses_no_event(shop: Shop) {
    survives(shop, Kind::Redis).await;
}
