//! One suite for every fan-out.

use std::sync::Arc;
use std::time::Duration;

use doyen::live::fanout::{Fanout, LocalFanout, NatsFanout, Note, PostgresFanout, RedisFanout};
use doyen::nats::Nats;
use doyen_test::{NatsServer, RedisServer};

use crate::kit::{HANG, Shop, quick};

fn text(node: &str, n: u32) -> Note {
    Note::Text {
        node: node.to_owned(),
        topic: "t".to_owned(),
        text: format!("{{\"n\":{n},\"text\":\"grüß\"}}"),
    }
}

/// What every fan-out promises: each subscriber gets each later note, in the order of its
/// publisher.
async fn conforms(publisher: Arc<dyn Fanout>, other: Arc<dyn Fanout>) {
    publisher
        .publish(&text("early", 0))
        .await
        .expect("published");
    let mut first = publisher.subscribe().await.expect("subscribed");
    let mut second = other.subscribe().await.expect("subscribed");
    let log = Note::Log {
        node: "a".to_owned(),
        position: 7,
    };
    let presence = Note::Presence {
        node: "b".to_owned(),
    };
    publisher.publish(&log).await.expect("published");
    publisher.publish(&presence).await.expect("published");
    for n in 0..100 {
        publisher.publish(&text("a", n)).await.expect("published");
    }
    for notes in [&mut first, &mut second] {
        let reading = async {
            // It was on its way while the process subscribed.
            let mut next = notes.next().await;
            if next == Ok(text("early", 0)) {
                next = notes.next().await;
            }
            assert_eq!(next.as_ref(), Ok(&log));
            assert_eq!(notes.next().await.as_ref(), Ok(&presence));
            for n in 0..100 {
                assert_eq!(notes.next().await, Ok(text("a", n)));
            }
        };
        tokio::time::timeout(HANG, reading)
            .await
            .expect("every note arrives");
    }
}

#[tokio::test]
async fn notes_in_one_process_conform() {
    let fanout = LocalFanout::default();
    conforms(Arc::new(fanout.clone()), Arc::new(fanout)).await;
}

#[doyen_test::test(postgres)]
async fn notes_over_postgres_conform(app: Shop) {
    let (one, two) = (app.another(quick()).await, app.another(quick()).await);
    let [one, two] = [&one, &two].map(|node| PostgresFanout(node.database().clone()));
    conforms(Arc::new(one.clone()), Arc::new(two)).await;
    let long = Note::Text {
        node: "a".to_owned(),
        topic: "t".to_owned(),
        text: "x".repeat(8_000),
    };
    assert!(one.publish(&long).await.is_err(), "PostgreSQL refuses it");
}

/// Returns the fan-out of a node with this Redis.
async fn redis(app: &Shop, server: &RedisServer) -> RedisFanout {
    let node = app.another(quick().set("redis.url", &server.url())).await;
    let redis = node.inject::<Arc<doyen::app::Redis>>().await;
    RedisFanout::new((*redis).clone(), "suite")
}

#[doyen_test::test(sqlite)]
async fn notes_over_redis_conform(app: Shop) {
    let server = RedisServer::start();
    let (one, two) = (redis(&app, &server).await, redis(&app, &server).await);
    conforms(Arc::new(one), Arc::new(two)).await;
}

fn nats(server: &NatsServer) -> NatsFanout {
    NatsFanout::new(Nats::open(&server.url(), None).expect("a URL"), "suite")
}

#[tokio::test]
async fn notes_over_nats_conform() {
    let server = NatsServer::start();
    conforms(Arc::new(nats(&server)), Arc::new(nats(&server))).await;
}

/// It reconnects by itself, and says that notes may have been lost.
#[tokio::test]
async fn a_lost_nats_is_an_error_and_heals() {
    let mut server = NatsServer::start();
    let fanout = nats(&server);
    let mut notes = fanout.subscribe().await.expect("subscribed");
    server.kill();
    let ended = tokio::time::timeout(HANG, notes.next()).await;
    assert!(ended.expect("it ends").is_err());
    let note = text("a", 0);
    assert!(fanout.publish(&note).await.is_err());
    server.restart();
    let healed = async {
        let mut notes = loop {
            match fanout.subscribe().await {
                Ok(notes) => break notes,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        fanout.publish(&note).await.expect("published");
        assert_eq!(notes.next().await.as_ref(), Ok(&note));
    };
    tokio::time::timeout(HANG, healed).await.expect("it heals");
}

#[doyen_test::test(sqlite)]
async fn a_lost_redis_is_an_error_and_blocks_nobody(app: Shop) {
    let mut server = RedisServer::start();
    let fanout = redis(&app, &server).await;
    let mut notes = fanout.subscribe().await.expect("subscribed");
    server.kill();
    let ended = tokio::time::timeout(HANG, notes.next())
        .await
        .expect("it ends");
    assert!(ended.is_err());
    let note = text("a", 0);
    let publishing = fanout.publish(&note);
    let published = tokio::time::timeout(Duration::from_secs(10), publishing).await;
    assert!(published.expect("it ends").is_err());
}
