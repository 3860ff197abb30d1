//! The application under test.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex};

use doyen::App;
use doyen::app::{Plugin, Registrar, SetupError};
use doyen::domain::event::RecordedEvent;
use doyen::domain::inject::Needs;
use doyen::domain::{Event, Identify, Refusal, RequestCredentials};
use doyen::live::{Change, Presence, SocketProblem};
use doyen::prelude::*;
use doyen_test::{Live as Server, Setup, Subject, TestApp};
use serde_json::{Value as Json, json};

pub(crate) use crate::client::{
    Block, CLOSE, EventSource, Frame, HANG, PING, PONG, RawSocket, TEXT, encode,
};

/// What happened to an order.
#[derive(Clone, Debug, Event)]
#[event(topic = "order", key = "order")]
enum OrderEvent {
    Placed { order: String, n: i64 },
    Secret { order: String, n: i64 },
}

/// The data of an event.
#[derive(Output)]
struct OrderView {
    order: String,
    n: i64,
}

/// Shows orders; secrets only to the owner of the shop.
#[derive(Clone, Inject)]
struct OrderFeed {
    caller: Option<Caller>,
}

impl Feed for OrderFeed {
    type Item = OrderView;

    async fn item(&self, event: &RecordedEvent) -> Result<Option<OrderView>, Unexpected> {
        let is_owner = self
            .caller
            .as_ref()
            .is_some_and(|one| one.has_role("owner"));
        if event.topic == "order.secret" && !is_owner {
            return Ok(None);
        }
        let payload: Json = serde_json::from_str(&event.payload)?;
        Ok(Some(OrderView {
            order: payload["order"].as_str().unwrap_or_default().to_owned(),
            n: payload["n"].as_i64().unwrap_or_default(),
        }))
    }
}

/// Place an order
#[post("/orders/{order}/{n}", allow = anyone)]
async fn place(session: Session, order: String, n: i64) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Placed { order, n }).await?;
    Ok(NoContent)
}

/// Place many orders
#[post("/many/{order}/{from}/{to}", allow = anyone)]
async fn many(
    session: Session,
    order: String,
    from: i64,
    to: i64,
) -> Result<NoContent, Unexpected> {
    for n in from..to {
        let order = order.clone();
        session.emit(&OrderEvent::Placed { order, n }).await?;
    }
    Ok(NoContent)
}

/// Place a secret order
#[post("/secrets/{order}/{n}", allow = anyone)]
async fn hide(session: Session, order: String, n: i64) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Secret { order, n }).await?;
    Ok(NoContent)
}

/// Fail after the event
#[post("/failed/{order}", allow = anyone)]
async fn fail(session: Session, order: String) -> Result<NoContent, Unexpected> {
    session.emit(&OrderEvent::Placed { order, n: -1 }).await?;
    Err(Unexpected::new("on purpose"))
}

/// Watch an order
#[get("/orders/{order}/events", allow = signed_in)]
async fn watch(live: Live<OrderFeed>, order: String) -> Events<OrderView> {
    live.events(Topic::of(&format!("order:{order}")))
}

/// A message from the client.
#[derive(Input)]
#[input(tag = "type")]
enum FromClient {
    Subscribe {
        #[validate(length(min = 1, max = 100))]
        order: String,
        after: Option<String>,
    },
    Unsubscribe {
        order: String,
    },
    /// Subscribes to all orders.
    Queue,
    Place {
        order: String,
        #[validate(range(min = 0, max = 1000))]
        n: i64,
        fail: Option<bool>,
    },
    Typing {
        order: String,
    },
    Echo {
        text: String,
    },
    Wait,
    Leave,
}

/// A message from the server.
#[derive(Output)]
#[output(tag = "type")]
enum FromServer {
    Subscribed {
        topic: String,
    },
    Event {
        topic: String,
        id: String,
        event: String,
        data: OrderView,
    },
    Presence {
        topic: String,
        users: Vec<String>,
    },
    Typing {
        topic: String,
        user: String,
    },
    Echo {
        text: String,
    },
    Error {
        code: String,
        detail: String,
        topic: Option<String>,
        pointers: Vec<String>,
    },
}

impl From<SocketProblem> for FromServer {
    fn from(problem: SocketProblem) -> Self {
        Self::Error {
            code: problem.code,
            detail: problem.detail,
            topic: problem.topic,
            pointers: problem.errors.into_iter().map(|one| one.pointer).collect(),
        }
    }
}

impl From<Change<OrderView>> for FromServer {
    fn from(change: Change<OrderView>) -> Self {
        Self::Event {
            topic: change.topic,
            id: change.id,
            event: change.event,
            data: change.data,
        }
    }
}

impl From<Presence> for FromServer {
    fn from(presence: Presence) -> Self {
        Self::Presence {
            topic: presence.topic,
            users: presence.users,
        }
    }
}

/// Why a message was rejected.
#[derive(Debug, Problem)]
enum Rejected {
    /// The queue is for the owner.
    #[problem(forbidden, code = "owner_only")]
    OwnerOnly,
    /// Anything else.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Watch and place orders
#[socket("/socket", allow = signed_in, protocol = "orders.v1")]
async fn socket(
    connection: Connection<FromServer>,
    message: FromClient,
    caller: Caller,
    session: Session,
    live: Live<OrderFeed>,
) -> Result<(), Rejected> {
    let topic = |order: &str| format!("order:{order}");
    match message {
        FromClient::Subscribe { order, after } => {
            let topic = topic(&order);
            let confirmation = FromServer::Subscribed {
                topic: topic.clone(),
            };
            connection.subscribe(&live, Topic::of(&topic), after.as_deref(), &confirmation)?;
            connection.enter(&topic, &caller.subject);
        }
        FromClient::Unsubscribe { order } => connection.unsubscribe(&topic(&order)),
        FromClient::Queue if !caller.has_role("owner") => return Err(Rejected::OwnerOnly),
        FromClient::Queue => {
            let confirmation = FromServer::Subscribed {
                topic: "queue".to_owned(),
            };
            let topic = Topic::events("queue", "order.*");
            connection.subscribe(&live, topic, None, &confirmation)?;
        }
        FromClient::Place { order, n, fail } => {
            session
                .emit(&OrderEvent::Placed { order, n })
                .await
                .map_err(Unexpected::from)?;
            connection.send(&FromServer::Echo {
                text: "placed".to_owned(),
            })?;
            if fail == Some(true) {
                return Err(Unexpected::new("on purpose").into());
            }
        }
        FromClient::Typing { order } => {
            let typing = FromServer::Typing {
                topic: topic(&order),
                user: caller.subject.to_string(),
            };
            connection.broadcast(&topic(&order), &typing)?;
        }
        FromClient::Echo { text } => connection.send(&FromServer::Echo { text })?,
        FromClient::Wait => std::future::pending().await,
        FromClient::Leave => connection.close(),
    }
    Ok(())
}

/// The keys that are valid, and the roles of their callers.
static KEYS: LazyLock<Mutex<HashMap<String, &'static str>>> = LazyLock::new(Mutex::default);

/// Makes a key of its own for a test.
pub(crate) fn key(role: &'static str) -> String {
    let key = format!("{role}-{}", uuid::Uuid::new_v4().simple());
    KEYS.lock().unwrap().insert(key.clone(), role);
    key
}

/// Gives the caller of a key another role.
pub(crate) fn change(key: &str, role: &'static str) {
    KEYS.lock().unwrap().insert(key.to_owned(), role);
}

/// Ends a key.
pub(crate) fn revoke(key: &str) {
    KEYS.lock().unwrap().remove(key);
}

/// Identifies callers by the keys of the tests: in `Authorization: Key ..`, or in a cookie.
struct Keys;

impl Plugin for Keys {
    const NAME: &'static str = "keys_of_tests";
    type Settings = ();

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.identify(Arc::new(Self), Needs::default());
        Ok(())
    }
}

#[doyen::domain::__private::async_trait::async_trait]
impl Identify for Keys {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let cookie = credentials
            .cookie
            .and_then(|text| text.strip_prefix("key="));
        let Some(key) = credentials.after("Key").or(cookie) else {
            return Ok(None);
        };
        let role = KEYS.lock().unwrap().get(key).copied();
        Ok(role.map(|role| {
            let mut caller = Caller::new(key);
            caller.roles = vec![role.into()];
            Arc::new(caller)
        }))
    }
}

/// The application under test.
pub(crate) struct Shop(TestApp);

impl Deref for Shop {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Subject for Shop {
    fn app() -> App {
        App::new("orders").plugin(Keys).module(
            Module::new("orders")
                .routes(routes![place, many, hide, fail, watch, socket])
                .routes(Routes::new(vec![doyen::live::tokens()]).at("/live")),
        )
    }

    fn setup() -> Setup {
        quick()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// Settings with which everything is quick.
pub(crate) fn quick() -> Setup {
    Setup::new()
        .set("live.poll", "50ms")
        .set("live.recheck", "50ms")
        .set("live.presence_interval", "200ms")
        .set("live.reconnect_spread", "5s")
        .set("events.poll", "50ms")
}

impl Shop {
    /// Places an order.
    pub(crate) async fn place(&self, order: &str, n: i64) {
        self.post(format!("/orders/{order}/{n}"))
            .send()
            .await
            .expect(204);
    }

    /// Places orders with these numbers in one transaction.
    pub(crate) async fn place_many(&self, order: &str, from: i64, to: i64) {
        let path = format!("/many/{order}/{from}/{to}");
        self.post(path).send().await.expect(204);
    }
}

impl Block {
    /// Returns the number of the order.
    pub(crate) fn n(&self) -> i64 {
        let data: Json = serde_json::from_str(self.field("data").unwrap()).unwrap();
        data["n"].as_i64().unwrap()
    }
}

impl EventSource {
    /// Opens a stream of an order, and waits until it is open.
    pub(crate) async fn watch(server: &Server, key: &str, order: &str, after: &str) -> Self {
        let mut headers = format!("Authorization: Key {key}\r\n");
        if !after.is_empty() {
            headers.push_str(&format!("Last-Event-ID: {after}\r\n"));
        }
        let mut source = Self::open(server, &format!("/orders/{order}/events"), &headers).await;
        assert!(source.head.starts_with("HTTP/1.1 200"), "{}", source.head);
        let first = source.next().await.unwrap();
        assert_eq!(first.field("retry"), Some("2000"), "{first:?}");
        source
    }
}

impl RawSocket {
    /// Opens a socket with a key.
    pub(crate) async fn open(server: &Server, key: &str) -> Self {
        let headers = format!("Authorization: Key {key}\r\nSec-WebSocket-Protocol: orders.v1\r\n");
        let socket = Self::handshake(server, "/socket", &headers).await;
        assert!(socket.head.starts_with("HTTP/1.1 101"), "{}", socket.head);
        socket
    }

    /// Subscribes to an order, and waits for the confirmation.
    pub(crate) async fn subscribe(&mut self, order: &str, after: Option<&str>) {
        self.send(json!({"type": "subscribe", "order": order, "after": after}))
            .await;
        let confirmed = self.message_of("subscribed").await;
        assert_eq!(confirmed["topic"], format!("order:{order}"));
    }

    /// Answers pings up to the close frame, and returns its code and reason.
    pub(crate) async fn closed_after_pings(&mut self) -> (u16, String) {
        loop {
            let frame = self.read().await.expect("a close frame");
            match frame.opcode {
                PING => self.frame(0x80 | PONG, &frame.payload).await,
                CLOSE => return frame.close(),
                _ => {}
            }
        }
    }

    /// Reads the number of the next event.
    pub(crate) async fn n(&mut self) -> i64 {
        self.message_of("event").await["data"]["n"]
            .as_i64()
            .unwrap()
    }
}
