//! The contract of the port `Broker`, for each adapter and real servers.

use std::sync::Arc;
use std::time::Duration;

use doyen::domain::event::{Broker, BrokerMessage, Received, Subscription};
use doyen::events::broker::{MemoryBroker, NatsBroker, RedisBroker};

use crate::orders::until;
use crate::servers::{Kind, Server};

const WAIT: Duration = Duration::from_millis(500);

/// A broker, and its server if it has one.
struct Case {
    broker: Arc<dyn Broker>,
    server: Option<Server>,
}

fn memory() -> Case {
    Case {
        broker: Arc::new(MemoryBroker::default()),
        server: None,
    }
}

fn redis() -> Case {
    let server = Server::start(Kind::Redis);
    let client = redis_client(&server.url());
    Case {
        broker: Arc::new(RedisBroker::new(client, "test", 10_000)),
        server: Some(server),
    }
}

fn redis_client(url: &str) -> doyen::redis::client::aio::ConnectionManager {
    use doyen::redis::client::aio::{ConnectionManager, ConnectionManagerConfig};
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(WAIT))
        .set_max_delay(Duration::from_millis(200));
    let client = doyen::redis::client::Client::open(url).unwrap();
    ConnectionManager::new_lazy_with_config(client, config).unwrap()
}

fn nats() -> Case {
    let server = Server::start(Kind::Nats);
    let broker = NatsBroker::new(&server.url(), "test", 10_000).unwrap();
    Case {
        broker: Arc::new(broker),
        server: Some(server),
    }
}

fn message(n: usize) -> BrokerMessage {
    BrokerMessage {
        id: format!("id-{n}"),
        topic: "order.placed".to_owned(),
        aggregate: (n % 2 == 0).then(|| "order:ä 1".to_owned()),
        payload: format!(r#"{{"n":{n},"text":"ä\n"}}"#),
        trace: (n % 2 == 1).then(|| "00-trace".to_owned()),
    }
}

/// Fetches until there are this many messages.
async fn receive(subscription: &mut Box<dyn Subscription>, count: usize) -> Vec<Received> {
    let mut all = Vec::new();
    for _ in 0..100 {
        if all.len() >= count {
            break;
        }
        all.extend(subscription.fetch(count - all.len(), WAIT).await.unwrap());
    }
    all
}

fn ids(received: &[Received]) -> Vec<String> {
    received.iter().map(|one| one.message.id.clone()).collect()
}

fn expected(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("id-{n}")).collect()
}

/// Publishes until the broker has confirmed it.
async fn publish(broker: &Arc<dyn Broker>, message: &BrokerMessage) {
    until(async || broker.publish(message).await.ok()).await;
}

async fn conforms(case: Case) {
    let broker = &case.broker;
    broker.ping().await.unwrap();
    for n in 0..20 {
        broker.publish(&message(n)).await.unwrap();
        // The relay publishes again if it does not know that the message is stored.
        broker.publish(&message(n / 2)).await.unwrap();
    }
    let mut first = broker.subscribe("one").await.unwrap();
    let received = receive(&mut first, 20).await;
    assert_eq!(
        ids(&received),
        expected(0..20),
        "each once, in order, from the oldest"
    );
    let messages: Vec<_> = received.iter().map(|one| one.message.clone()).collect();
    assert_eq!(
        messages,
        (0..20).map(message).collect::<Vec<_>>(),
        "and whole"
    );
    assert!(first.fetch(10, WAIT).await.unwrap().is_empty());
    first.acknowledge(&received).await.unwrap();

    let mut other = broker.subscribe("two").await.unwrap();
    let received = receive(&mut other, 20).await;
    assert_eq!(
        ids(&received),
        expected(0..20),
        "each group gets each message"
    );
    other.acknowledge(&received).await.unwrap();

    // Messages that arrive while the subscription waits.
    broker.publish(&message(20)).await.unwrap();
    let received = receive(&mut first, 1).await;
    assert_eq!(ids(&received), expected(20..21));
    first.acknowledge(&received).await.unwrap();
    drop(first);
    let mut again = broker.subscribe("one").await.unwrap();
    broker.publish(&message(21)).await.unwrap();
    let received = receive(&mut again, 1).await;
    assert_eq!(
        ids(&received),
        expected(21..22),
        "what was acknowledged does not come again"
    );
}

/// What was confirmed survives; what was not confirmed is stored once by the next attempts.
async fn survives(mut case: Case) {
    let broker = Arc::clone(&case.broker);
    let mut subscription = broker.subscribe("one").await.unwrap();
    for n in 0..5 {
        broker.publish(&message(n)).await.unwrap();
    }
    let mut received = receive(&mut subscription, 3).await;
    subscription.acknowledge(&received).await.unwrap();
    let server = case.server.as_mut().unwrap();

    server.pause();
    assert!(
        broker.publish(&message(5)).await.is_err(),
        "a paused server confirms nothing"
    );
    server.resume();
    publish(&broker, &message(5)).await;

    server.kill();
    assert!(broker.publish(&message(6)).await.is_err());
    assert!(broker.ping().await.is_err());
    server.restart();
    for n in 6..10 {
        publish(&broker, &message(n)).await;
    }
    let mut again = until(async || broker.subscribe("one").await.ok()).await;
    for _ in 0..100 {
        if received.len() == 10 {
            break;
        }
        let Ok(next) = again.fetch(10, WAIT).await else {
            continue;
        };
        if again.acknowledge(&next).await.is_ok() {
            received.extend(next);
        }
    }
    assert_eq!(ids(&received), expected(0..10));
}

macro_rules! suite {
    ($($name:ident),*) => {
        $(mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn conforms() {
                super::conforms(super::$name()).await;
            }
        })*
    };
}

suite!(memory_broker, redis_broker, nats_broker);

fn memory_broker() -> Case {
    memory()
}
fn redis_broker() -> Case {
    redis()
}
fn nats_broker() -> Case {
    nats()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_paused_and_killed_loses_and_doubles_nothing() {
    survives(redis()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_that_is_paused_and_killed_loses_and_doubles_nothing() {
    survives(nats()).await;
}

/// A message that was received and not acknowledged comes again, to the next subscription.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unacknowledged_message_comes_again() {
    for case in [memory(), redis()] {
        case.broker.publish(&message(0)).await.unwrap();
        let mut lost = case.broker.subscribe("one").await.unwrap();
        assert_eq!(ids(&receive(&mut lost, 1).await), expected(0..1));
        drop(lost);
        let mut next = case.broker.subscribe("one").await.unwrap();
        assert_eq!(ids(&receive(&mut next, 1).await), expected(0..1));
    }
}
