//! The contract of the port `Broker`, for each adapter and real servers.

use std::sync::Arc;
use std::time::Duration;

use doyen::domain::event::{Broker, BrokerMessage, Received, Subscription};
use doyen::events::broker::{MemoryBroker, NatsBroker, RedisBroker};
use doyen::nats::Nats;
use doyen_test::NatsServer;

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

fn nats() -> Case {
    let server = Server::start(Kind::Nats);
    Case {
        broker: Arc::new(nats_at(&server.url(), 10_000)),
        server: Some(server),
    }
}

fn nats_at(url: &str, max: u32) -> NatsBroker {
    NatsBroker::new(Nats::open(url, None).unwrap(), "test", max)
}

fn redis_client(url: &str) -> doyen::redis::client::aio::ConnectionManager {
    use doyen::redis::client::aio::{ConnectionManager, ConnectionManagerConfig};
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(WAIT))
        .set_max_delay(Duration::from_millis(200));
    let client = doyen::redis::client::Client::open(url).unwrap();
    ConnectionManager::new_lazy_with_config(client, config).unwrap()
}

fn message(n: usize) -> BrokerMessage {
    BrokerMessage {
        id: format!("id-{n}"),
        topic: "order.placed".to_owned(),
        aggregate: n.is_multiple_of(2).then(|| "order:ä 1".to_owned()),
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
    for case in [memory(), redis(), nats()] {
        for n in 0..6 {
            case.broker.publish(&message(n)).await.unwrap();
        }
        let mut lost = case.broker.subscribe("one").await.unwrap();
        let received = receive(&mut lost, 4).await;
        assert_eq!(ids(&received), expected(0..4));
        lost.acknowledge(&received[..2]).await.unwrap();
        drop(lost);
        let mut next = case.broker.subscribe("one").await.unwrap();
        let received = receive(&mut next, 4).await;
        assert_eq!(ids(&received), expected(2..6), "before the later ones");
    }
}

/// The oldest messages go first, and a message that is too large is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_nats_is_bounded() {
    let server = NatsServer::start();
    let broker = nats_at(&server.url(), 10);
    for n in 0..30 {
        broker.publish(&message(n)).await.unwrap();
    }
    let large = BrokerMessage {
        payload: "x".repeat(2 << 20),
        ..message(30)
    };
    assert!(broker.publish(&large).await.is_err());
    broker.publish(&message(31)).await.unwrap();
    let mut subscription = broker.subscribe("one").await.unwrap();
    let received = receive(&mut subscription, 10).await;
    let kept: Vec<_> = (21..30).chain([31]).map(|n| format!("id-{n}")).collect();
    assert_eq!(ids(&received), kept);
    // A fetch has at most 8 MiB.
    let large = |n| BrokerMessage {
        payload: "x".repeat(500 << 10),
        ..message(n)
    };
    subscription.acknowledge(&received).await.unwrap();
    let broker = NatsBroker::new(Nats::open(&server.url(), None).unwrap(), "large", 1000);
    for n in 0..30 {
        broker.publish(&large(n)).await.unwrap();
    }
    let mut subscription = broker.subscribe("one").await.unwrap();
    let first = subscription.fetch(100, WAIT).await.unwrap();
    let bytes: usize = first.iter().map(|one| one.message.payload.len()).sum();
    assert!(bytes > 1 << 20 && bytes <= 8 << 20, "{bytes}");
    subscription.acknowledge(&first).await.unwrap();
    let rest = receive(&mut subscription, 30 - first.len()).await;
    assert_eq!(ids(&rest), expected(first.len()..30));
}

/// What keeps NATS from being used is said in the terms of the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_nats_say_what_to_do() {
    let error_of = async |url: String| {
        let error = nats_at(&url, 10).publish(&message(0)).await.unwrap_err();
        error.to_string()
    };
    let server = NatsServer::start_with(
        "jetstream { store_dir: data }\nmax_payload: 65536\n\
         authorization { user: ada, password: \"p@ss\" }",
    );
    let url = |login: &str| server.url().replace("nats://", &format!("nats://{login}"));
    let error = error_of(url("ada:hunter2@")).await;
    assert!(error.contains("authorization violation"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let error = error_of(url("ada:p%40ss@")).await;
    assert!(error.contains("max_payload"), "{error}");

    let plain = NatsServer::start_with("");
    let error = error_of(plain.url()).await;
    assert!(error.contains("jetstream unavailable"), "{error}");

    // A stream that another program has created for a shorter time.
    let server = NatsServer::start();
    let client = doyen::nats::client::connect(server.url()).await.unwrap();
    let config = doyen::nats::client::jetstream::stream::Config {
        name: "test".to_owned(),
        subjects: vec!["test.>".to_owned()],
        duplicate_window: Duration::from_secs(1),
        ..Default::default()
    };
    let context = doyen::nats::client::jetstream::new(client);
    context.create_stream(config).await.unwrap();
    let error = error_of(server.url()).await;
    assert!(error.contains("duplicate window"), "{error}");
}
