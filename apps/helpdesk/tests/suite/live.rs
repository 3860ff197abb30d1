//! Live tickets: streams and sockets of real users, and kills of the program. `cargo xtask soak`
//! kills it many more times.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use doyen_test::{Program, Running, scale};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use crate::live_client::{Block, EventSource, HANG, RawSocket};
use crate::memory::report;
use crate::support::people::PASSWORD;
use crate::support::{Helpdesk, Join as _, Person};

/// The time after which a connection must have ended that its caller may no longer have.
const REVOCATION_TIME: Duration = Duration::from_secs(5);

pub(crate) fn bearer(person: &Person) -> String {
    format!("Authorization: Bearer {}\r\n", person.token)
}

async fn watch(server: &doyen_test::Live, person: &Person, ticket: &str) -> EventSource {
    let path = format!("/v1/tickets/{ticket}/events");
    let mut source = EventSource::open(server, &path, &bearer(person)).await;
    assert!(source.head.starts_with("HTTP/1.1 200"), "{}", source.head);
    assert!(
        source.next().await.is_some(),
        "the first byte comes at once"
    );
    source
}

async fn socket(server: &doyen_test::Live, person: &Person) -> RawSocket {
    let headers = format!("{}Sec-WebSocket-Protocol: helpdesk.v1\r\n", bearer(person));
    let socket = RawSocket::handshake(server, "/v1/socket", &headers).await;
    assert_eq!(socket.status(), 101, "{}", socket.head);
    socket
}

/// Opens a socket of a program that watches a ticket.
pub(crate) async fn watching(address: SocketAddr, person: &Person, ticket: &str) -> RawSocket {
    let headers = format!("{}Sec-WebSocket-Protocol: helpdesk.v1\r\n", bearer(person));
    let stream = TcpStream::connect(address).await.unwrap();
    let mut socket = RawSocket::on(stream, "/v1/socket", &headers).await;
    assert_eq!(socket.status(), 101, "{}", socket.head);
    let topic = format!("ticket:{ticket}");
    socket
        .send(json!({"type": "subscribe", "topic": topic}))
        .await;
    socket.message_of("subscribed").await;
    socket
}

async fn comment(person: &Person, ticket: &str, body: &str, internal: bool) {
    let path = format!("/v1/tickets/{ticket}/comments");
    let new = json!({"body": body, "internal": internal});
    person.post(path).json(&new).send().await.expect(201);
}

/// Returns the next event after the creation of the ticket, which may get its position in the log
/// when the stream is already open.
async fn later(source: &mut EventSource) -> Block {
    loop {
        let event = source.event().await.unwrap();
        if event.field("event") != Some("ticket.created") {
            return event;
        }
    }
}

/// Returns the next event of a comment.
async fn commented(socket: &mut RawSocket) -> Value {
    loop {
        let event = socket.message_of("event").await;
        if event["event"] == "ticket.commented" {
            return event;
        }
    }
}

#[doyen_test::test]
async fn a_stream_shows_each_reader_what_it_may_see(app: Helpdesk) {
    let server = app.serve().await;
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("it burns").await.text_at("/id");
    let mut customer = watch(&server, &ada, &ticket).await;
    let mut agent = watch(&server, &grace, &ticket).await;
    comment(&grace, &ticket, "between us", true).await;
    comment(&grace, &ticket, "we are on it", false).await;
    let note = later(&mut agent).await;
    assert_eq!(note.field("event"), Some("ticket.commented"));
    assert!(note.0.contains("between us"), "{note:?}");
    // A comment of an agent also changes the status.
    let updated = later(&mut customer).await;
    assert_eq!(updated.field("event"), Some("ticket.updated"));
    let view: Value = serde_json::from_str(updated.field("data").unwrap()).unwrap();
    assert_eq!(
        (&view["id"], &view["status"]),
        (&json!(ticket), &json!("pending"))
    );
    let commented = customer.event().await.unwrap();
    assert!(commented.0.contains("we are on it"), "{commented:?}");

    let eve = app.as_customer().await;
    let path = format!("/v1/tickets/{ticket}/events");
    eve.get(&path)
        .send()
        .await
        .expect_problem(404, "ticket_not_found");
    app.get(&path).send().await.expect(401);
}

#[doyen_test::test]
async fn a_socket_has_tickets_the_queue_presence_and_typing(app: Helpdesk) {
    let server = app.serve().await;
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("it burns").await.text_at("/id");
    let topic = format!("ticket:{ticket}");
    let mut customer = socket(&server, &ada).await;
    let mut agent = socket(&server, &grace).await;
    customer.send(json!({"type": "ping"})).await;
    assert_eq!(customer.message().await, json!({"type": "pong"}));
    customer
        .send(json!({"type": "subscribe", "topic": "queue"}))
        .await;
    let denied = customer.message().await;
    assert_eq!(
        (&denied["code"], &denied["topic"]),
        (&json!("agents_only"), &json!("queue"))
    );
    let eve = app.as_customer().await;
    let foreign = eve.opens("mine").await.text_at("/id");
    let foreign = format!("ticket:{foreign}");
    customer
        .send(json!({"type": "subscribe", "topic": foreign}))
        .await;
    assert_eq!(customer.message().await["code"], "ticket_not_found");
    customer
        .send(json!({"type": "subscribe", "topic": "nothing"}))
        .await;
    assert_eq!(customer.message().await["code"], "topic_not_found");

    customer
        .send(json!({"type": "subscribe", "topic": topic}))
        .await;
    assert_eq!(
        customer.message().await,
        json!({"type": "subscribed", "topic": topic})
    );
    agent
        .send(json!({"type": "subscribe", "topic": topic}))
        .await;
    agent.message_of("subscribed").await;
    let mut users = BTreeSet::new();
    while users.len() < 2 {
        let presence = customer.message_of("presence").await;
        users = presence["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    assert!(users.contains(&json!(grace.id).to_string()));
    agent.send(json!({"type": "typing", "topic": topic})).await;
    let typing = customer.message_of("typing").await;
    assert_eq!(
        typing,
        json!({"type": "typing", "topic": topic, "user": grace.id})
    );

    agent
        .send(json!({"type": "subscribe", "topic": "queue"}))
        .await;
    agent.message_of("subscribed").await;
    comment(&ada, &ticket, "over the socket", false).await;
    let event = commented(&mut customer).await;
    assert_eq!(event["topic"], json!(topic));
    assert_eq!(event["data"]["body"], "over the socket");
    let mut topics = BTreeSet::new();
    for _ in 0..2 {
        topics.insert(commented(&mut agent).await["topic"].to_string());
    }
    assert_eq!(topics.len(), 2, "the ticket and the queue: {topics:?}");
}

#[doyen_test::test(sqlite)]
async fn events_have_the_shape_of_the_selected_version(app: Helpdesk) {
    let server = app.serve().await;
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("it burns").await.text_at("/id");
    let headers = format!("{}API-Version: 2026-06-01\r\n", bearer(&ada));
    let path = format!("/v1/tickets/{ticket}/events");
    let mut stream = EventSource::open(&server, &path, &headers).await;
    stream.next().await.unwrap();
    let mut older = RawSocket::handshake(&server, "/v1/socket", &headers).await;
    let mut newest = socket(&server, &ada).await;
    for one in [&mut older, &mut newest] {
        let topic = format!("ticket:{ticket}");
        one.send(json!({"type": "subscribe", "topic": topic})).await;
        one.message_of("subscribed").await;
    }
    comment(&grace, &ticket, "we are on it", false).await;
    let event = stream.event().await.unwrap();
    let data: Value = serde_json::from_str(event.field("data").unwrap()).unwrap();
    let sent = older.message_of("event").await["data"].clone();
    for view in [data, sent] {
        let view = view.as_object().unwrap();
        assert!(view.contains_key("assignee_id"), "{view:?}");
        assert!(!view.contains_key("assignee"), "{view:?}");
    }
    let view = newest.message_of("event").await["data"].clone();
    assert!(view.as_object().unwrap().contains_key("assignee"), "{view}");
}

#[doyen_test::test]
async fn a_socket_and_a_stream_end_after_a_logout(app: Helpdesk) {
    let server = app.serve().await;
    let ada = app.as_customer().await;
    let ticket = ada.opens("it burns").await.text_at("/id");
    let mut stream = watch(&server, &ada, &ticket).await;
    let mut socket = socket(&server, &ada).await;
    ada.post("/v1/auth/logout").send().await.expect(204);
    let ended = async {
        assert_eq!(socket.closed().await.0, 1008);
        stream.rest().await;
    };
    tokio::time::timeout(REVOCATION_TIME, ended)
        .await
        .expect("both end");
}

#[doyen_test::test(sqlite)]
async fn a_socket_ends_after_a_change_of_the_role(app: Helpdesk) {
    let server = app.serve().await;
    let (grace, admin) = (app.as_agent().await, app.as_admin().await);
    let mut socket = socket(&server, &grace).await;
    let path = format!("/v1/users/{}", grace.id);
    let user = admin.get(&path).send().await.expect(200);
    let tag = user.header("etag").unwrap_or_default().to_owned();
    let change = json!({"role": "customer"});
    admin
        .patch(&path)
        .header("if-match", &tag)
        .json(&change)
        .send()
        .await
        .expect(200);
    let ended = async { assert_eq!(socket.closed().await.0, 1008) };
    tokio::time::timeout(REVOCATION_TIME, ended)
        .await
        .expect("it ends");
}

#[doyen_test::test(sqlite)]
async fn the_socket_is_in_the_asyncapi_document(app: Helpdesk) {
    let answer = app.get("/asyncapi.json").send().await.expect(200);
    let text = answer.text();
    assert!(
        text.contains("helpdesk.v1") && text.contains("/v1/socket"),
        "{text}"
    );
}

/// Polling alone would take half a second and more.
#[doyen_test::test]
async fn an_event_arrives_soon_after_its_commit(app: Helpdesk) {
    let server = app.serve().await;
    let (ada, grace) = (app.as_customer().await, app.as_agent().await);
    let ticket = ada.opens("it burns").await.text_at("/id");
    let mut stream = watch(&server, &ada, &ticket).await;
    let mut times = Vec::new();
    for n in 0..scale(30, 500) {
        let body = format!("comment {n}.");
        let start = Instant::now();
        comment(&grace, &ticket, &body, false).await;
        while !stream.event().await.unwrap().0.contains(&body) {}
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (median, late) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    report(&format!(
        "from the request to the event: median {median:?}, 99 % {late:?}"
    ));
    assert!(median < Duration::from_millis(300), "{times:?}");
}

pub(crate) fn program(app: &Helpdesk, bind: SocketAddr) -> Program {
    Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", &bind.to_string())
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("DATABASE_URL", app.database_url())
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
        .env("APP_DATABASE__ACQUIRE_TIMEOUT", "30s")
        .env("APP_DATABASE__LOCK_TIMEOUT", "30s")
        .env("APP_DATABASE__STATEMENT_TIMEOUT", "30s")
}

pub(crate) async fn start(program: Program) -> (Running, SocketAddr) {
    let start = move || {
        let running = program.start();
        let address = running.address();
        (running, address)
    };
    spawn_blocking(start).await.unwrap()
}

/// What the clients of a program that is killed again and again have done and seen.
#[derive(Default)]
struct Seen {
    /// Bodies of the comments that were confirmed.
    confirmed: BTreeSet<String>,
    /// The ids of events, in the order in which they arrived, each once.
    ids: Vec<i64>,
    bodies: BTreeSet<String>,
}

#[doyen_test::test]
async fn kills_of_a_node_lose_and_double_no_event(app: Helpdesk) {
    let mut ada = app.as_customer().await;
    let ticket = ada.opens("it burns").await.text_at("/id");
    let mut seen = Seen::default();
    let mut last = String::from("0");
    let kills = scale(3, 200);
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut one = start(program(&app, local)).await;
    let mut two = start(program(&app, local)).await;
    for round in 0..kills {
        if round % 50 == 0 {
            // An access token lives for some minutes.
            ada = log_in(two.1, &ada).await;
        }
        let mut source = resume(one.1, &ada, &ticket, &last).await;
        // Both nodes write, and the one that delivers is killed meanwhile.
        let write = async |node: SocketAddr, count: usize| {
            let mut confirmed = Vec::new();
            for n in 0..count {
                let body = format!("comment {round}-{n} of {node}");
                if post(node, &ada, &ticket, &body).await {
                    confirmed.push(body);
                }
            }
            confirmed
        };
        let kill = async {
            for _ in 0..round % 7 {
                if let Some(event) = source.event().await {
                    note(&mut seen, &mut last, &event.0);
                }
            }
            one.0.kill();
        };
        let (killed, survived, ()) = tokio::join!(write(one.1, 5), write(two.1, 5), kill);
        assert_eq!(survived.len(), 5, "the other node is not disturbed");
        seen.confirmed.extend(killed.into_iter().chain(survived));
        // The next one that is killed is the one that survived.
        one = std::mem::replace(&mut two, start(program(&app, local)).await);
    }
    // Everything that was confirmed arrives in the end.
    let ada = log_in(two.1, &ada).await;
    let mut source = resume(two.1, &ada, &ticket, &last).await;
    let rest = async {
        while !seen.confirmed.is_subset(&seen.bodies) {
            let event = source.event().await.expect("the stream stays open");
            note(&mut seen, &mut last, &event.0);
        }
    };
    if tokio::time::timeout(HANG, rest).await.is_err() {
        let missing: Vec<_> = seen.confirmed.difference(&seen.bodies).collect();
        panic!("lost: {missing:?}");
    }
    assert!(
        seen.ids.windows(2).all(|pair| pair[0] < pair[1]),
        "{:?}",
        seen.ids
    );
    report(&format!(
        "{kills} kills of a node, with another one: {} events, none lost or doubled",
        seen.ids.len()
    ));
}

/// Opens the stream of a ticket after an event.
async fn resume(node: SocketAddr, person: &Person, ticket: &str, last: &str) -> EventSource {
    let stream = TcpStream::connect(node).await.unwrap();
    let path = format!("/v1/tickets/{ticket}/events");
    let headers = format!("{}Last-Event-ID: {last}\r\n", bearer(person));
    let source = EventSource::on(stream, &path, &headers).await;
    assert!(source.head.starts_with("HTTP/1.1 200"), "{}", source.head);
    source
}

/// Notes an event.
fn note(seen: &mut Seen, last: &mut String, block: &str) {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
    assert_ne!(field("event: "), Some("reload"), "nothing is too old");
    let id = field("id: ").expect("an id");
    id.clone_into(last);
    seen.ids.push(id.parse().unwrap());
    let data: Value = serde_json::from_str(field("data: ").unwrap_or("null")).unwrap();
    if let Some(body) = data["body"]
        .as_str()
        .filter(|body| body.starts_with("comment"))
    {
        assert!(seen.bodies.insert(body.to_owned()), "doubled: {body}");
    }
}

/// Posts a comment. Returns true if it was confirmed.
pub(crate) async fn post(address: SocketAddr, person: &Person, ticket: &str, body: &str) -> bool {
    let path = format!("/v1/tickets/{ticket}/comments");
    let answer = exchange(address, &path, &bearer(person), &json!({"body": body})).await;
    answer.starts_with("HTTP/1.1 201")
}

/// Logs a user in at a program. A test has a clock of its own, so its tokens have expired there.
pub(crate) async fn log_in(address: SocketAddr, person: &Person) -> Person {
    let body = json!({"email": person.email, "password": PASSWORD});
    let answer = exchange(address, "/v1/auth/login", "", &body).await;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"));
    let mut person = person.clone();
    person.token = body["access_token"].as_str().unwrap().to_owned();
    person
}

/// Posts this, and returns what arrives before the end.
async fn exchange(address: SocketAddr, path: &str, headers: &str, body: &Value) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return String::new();
    };
    let mut answer = Vec::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.read_to_end(&mut answer).await
    };
    let _ = tokio::time::timeout(HANG, exchange).await;
    String::from_utf8_lossy(&answer).into_owned()
}
