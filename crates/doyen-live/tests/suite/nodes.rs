//! Several nodes on one database.

use std::sync::Arc;

use doyen::app::{Plugin, Registrar, SetupError};
use doyen::live::fanout::{FanoutOverride, LocalFanout};
use doyen_test::{NatsServer, RedisServer, Setup, TestApp};
use serde_json::json;

use crate::kit::{EventSource, RawSocket, Shop, key, quick};

/// Uses this fan-out.
struct Shared(LocalFanout);

impl Plugin for Shared {
    const NAME: &'static str = "shared_fanout";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.contribute(FanoutOverride(Arc::new(self.0)));
        Ok(())
    }
}

async fn node(app: &Shop, setup: Setup) -> TestApp {
    app.another(setup).await
}

#[doyen_test::test]
async fn an_event_of_one_node_reaches_the_clients_of_another(app: Shop) {
    let other = node(&app, quick()).await;
    let (here, there) = (app.serve().await, other.serve().await);
    let key = key("buyer");
    let mut one = EventSource::watch(&here, &key, "a", "").await;
    let mut two = RawSocket::open(&there, &key).await;
    two.subscribe("a", None).await;
    app.place("a", 1).await;
    other.post("/orders/a/2").send().await.expect(204);
    for n in 1..=2 {
        assert_eq!(one.event().await.unwrap().n(), n);
        assert_eq!(two.n().await, n);
    }
}

#[doyen_test::test]
async fn a_client_resumes_on_another_node(app: Shop) {
    let other = node(&app, quick()).await;
    let (here, there) = (app.serve().await, other.serve().await);
    let key = key("buyer");
    let mut first = EventSource::watch(&here, &key, "a", "").await;
    app.place_many("a", 0, 5).await;
    let id = loop {
        let event = first.event().await.unwrap();
        if event.n() == 2 {
            break event.field("id").unwrap().to_owned();
        }
    };
    drop((first, here));
    app.place_many("a", 5, 8).await;
    let mut second = EventSource::watch(&there, &key, "a", &id).await;
    for n in 3..8 {
        assert_eq!(second.event().await.unwrap().n(), n);
    }
}

async fn talk(here: &doyen_test::Live, there: &doyen_test::Live) {
    let (ada, bob) = (key("buyer"), key("buyer"));
    let mut first = RawSocket::open(here, &ada).await;
    first.subscribe("a", None).await;
    let mut second = RawSocket::open(there, &bob).await;
    second.subscribe("a", None).await;
    let mut both = vec![ada.clone(), bob.clone()];
    both.sort();
    loop {
        let users = first.message_of("presence").await["users"].clone();
        if users == json!(both) {
            break;
        }
    }
    // Until the node has subscribed to the notes of the other one, they are lost.
    let typing = async {
        loop {
            second.send(json!({"type": "typing", "order": "a"})).await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = typing => {}
        seen = first.message_of("typing") => assert_eq!(seen["user"], json!(bob)),
    }
}

#[doyen_test::test]
async fn nodes_share_presence_and_typing_through_a_fan_out(app: Shop) {
    let fanout = LocalFanout::default();
    let one = node(&app, quick().plugin(Shared(fanout.clone()))).await;
    let two = node(&app, quick().plugin(Shared(fanout))).await;
    talk(&one.serve().await, &two.serve().await).await;
}

#[doyen_test::test(postgres)]
async fn nodes_share_presence_and_typing_through_postgres(app: Shop) {
    let (one, two) = (node(&app, quick()).await, node(&app, quick()).await);
    talk(&one.serve().await, &two.serve().await).await;
}

#[doyen_test::test]
async fn nodes_share_presence_and_typing_through_redis(app: Shop) {
    let redis = RedisServer::start();
    let setup = || quick().set("redis.url", &redis.url());
    let (one, two) = (node(&app, setup()).await, node(&app, setup()).await);
    talk(&one.serve().await, &two.serve().await).await;
}

#[doyen_test::test(sqlite)]
async fn nodes_share_presence_and_typing_through_nats(app: Shop) {
    let nats = NatsServer::start();
    let setup = || quick().set("nats.url", &nats.url());
    let (one, two) = (node(&app, setup()).await, node(&app, setup()).await);
    talk(&one.serve().await, &two.serve().await).await;
}

#[doyen_test::test]
async fn presence_of_a_killed_node_ends(app: Shop) {
    let server = app.serve().await;
    let ada = key("buyer");
    let mut socket = RawSocket::open(&server, &ada).await;
    // What a killed node leaves behind.
    let seen = match app.backend() {
        doyen_test::Backend::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
        doyen_test::Backend::Postgres => {
            "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)"
        }
    };
    let sql = format!("INSERT INTO live_nodes (node, seen_ms) VALUES ('dead', {seen} + 1000)");
    app.execute(&sql, []).await;
    let sql = "INSERT INTO live_presence (topic, node, who) VALUES ('order:a', 'dead', 'ghost')";
    app.execute(sql, []).await;
    socket.subscribe("a", None).await;
    let mut users = socket.message_of("presence").await["users"].clone();
    let mut both = vec![ada.clone(), "ghost".to_owned()];
    both.sort();
    assert_eq!(users, json!(both));
    while users != json!([ada]) {
        users = socket.message_of("presence").await["users"].clone();
    }
    // Its rows are removed later.
    let removed = async {
        while app.count("live_presence").await > 1 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::kit::HANG, removed)
        .await
        .expect("the rows are removed");
}
