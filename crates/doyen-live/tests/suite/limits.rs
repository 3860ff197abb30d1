//! Limits: connections, topics, messages, and clients that do not read.

use doyen_test::Setup;
use serde_json::json;

use crate::kit::{EventSource, HANG, RawSocket, Shop, key, quick};

macro_rules! limited {
    ($name:ident, $($key:literal = $value:literal),*) => {
        struct $name(Shop);

        impl doyen_test::Subject for $name {
            fn app() -> doyen::App {
                Shop::app()
            }
            fn setup() -> Setup {
                quick()$(.set($key, $value))*
            }
            fn new(app: doyen_test::TestApp) -> Self {
                Self(Shop::new(app))
            }
        }
    };
}

limited!(PerUser, "live.max_per_user" = "2");
limited!(PerAddress, "live.max_per_address" = "3");
limited!(Total, "live.max_connections" = "3");
limited!(
    Buffered,
    "live.buffer" = "16",
    "live.write_timeout" = "10m",
    "live.messages_per_second" = "100000"
);
limited!(
    Timed,
    "live.write_timeout" = "3s",
    "live.messages_per_second" = "100000"
);
limited!(
    Narrow,
    "live.max_topics" = "2",
    "live.messages_per_second" = "5"
);

async fn status(server: &doyen_test::Live, key: &str) -> (u16, RawSocket) {
    let headers = format!("Authorization: Key {key}\r\n");
    let socket = RawSocket::handshake(server, "/socket", &headers).await;
    (socket.status(), socket)
}

#[doyen_test::test(sqlite)]
async fn a_user_has_a_maximum_of_connections(app: PerUser) {
    let server = app.0.serve().await;
    let (ada, bob) = (key("buyer"), key("buyer"));
    let (_, first) = status(&server, &ada).await;
    let stream = EventSource::watch(&server, &ada, "a", "").await;
    let (refused, socket) = status(&server, &ada).await;
    assert_eq!(refused, 429);
    assert!(
        socket.head.to_lowercase().contains("retry-after"),
        "{}",
        socket.head
    );
    let headers = format!("Authorization: Key {ada}\r\n");
    let source = EventSource::open(&server, "/orders/a/events", &headers).await;
    assert!(source.head.starts_with("HTTP/1.1 429"), "{}", source.head);
    assert_eq!(status(&server, &bob).await.0, 101);
    // A closed connection makes room.
    drop((first, stream));
    let again = async { while status(&server, &ada).await.0 != 101 {} };
    tokio::time::timeout(HANG, again)
        .await
        .expect("a place becomes free");
}

#[doyen_test::test(sqlite)]
async fn an_address_has_a_maximum_of_connections(app: PerAddress) {
    let server = app.0.serve().await;
    let mut open = Vec::new();
    for expected in [101, 101, 101, 429] {
        let (status, socket) = status(&server, &key("buyer")).await;
        assert_eq!(status, expected);
        open.push(socket);
    }
}

#[doyen_test::test(sqlite)]
async fn the_server_has_a_maximum_of_connections(app: Total) {
    let server = app.0.serve().await;
    let mut open = Vec::new();
    for expected in [101, 101, 101, 429] {
        let (status, socket) = status(&server, &key("buyer")).await;
        assert_eq!(status, expected);
        open.push(socket);
    }
}

#[doyen_test::test(sqlite)]
async fn a_socket_has_a_maximum_of_topics(app: Narrow) {
    let server = app.0.serve().await;
    let mut socket = RawSocket::open(&server, &key("buyer")).await;
    socket.subscribe("a", None).await;
    socket.subscribe("b", None).await;
    socket
        .send(json!({"type": "subscribe", "order": "c"}))
        .await;
    let error = socket.message_of("error").await;
    assert_eq!(
        (&error["code"], &error["topic"]),
        (&json!("too_many_topics"), &json!("order:c"))
    );
    // A second subscription of the same topic replaces the first.
    socket.subscribe("a", None).await;
    app.0.place("a", 1).await;
    app.0.place("a", 2).await;
    assert_eq!((socket.n().await, socket.n().await), (1, 2));
}

#[doyen_test::test(sqlite)]
async fn a_flood_of_messages_is_rejected_and_then_closed(app: Narrow) {
    let server = app.0.serve().await;
    let mut socket = RawSocket::open(&server, &key("buyer")).await;
    for _ in 0..60 {
        socket.send(json!({"type": "echo", "text": "x"})).await;
    }
    let mut rejected = 0;
    let closed = loop {
        let frame = socket.read().await.expect("a close frame");
        if frame.opcode == crate::kit::CLOSE {
            break frame.close();
        }
        let message = String::from_utf8_lossy(&frame.payload).into_owned();
        rejected += usize::from(message.contains("too_many_messages"));
    };
    assert_eq!(closed, (1008, "too_many_messages".to_owned()));
    assert!(rejected > 0);
}

/// Lets a socket wait in a write: its client sends and reads nothing, until nothing more is read
/// from it.
async fn get_stuck(socket: &mut RawSocket) {
    let echo = json!({"type": "echo", "text": "x".repeat(60_000)}).to_string();
    let frame = crate::kit::encode(0x81, echo.as_bytes(), true);
    let sending = async {
        while tokio::time::timeout(STALL, socket.bytes(&frame))
            .await
            .is_ok()
        {}
    };
    tokio::time::timeout(HANG, sending)
        .await
        .expect("the server stops reading");
}

/// A write that takes this long waits for the peer.
const STALL: std::time::Duration = std::time::Duration::from_secs(1);

async fn wait_for_connections(app: &Shop, count: usize) {
    let hub = app.inject::<std::sync::Arc<doyen::live::Hub>>().await;
    let text = format!("connections: {count},");
    let waiting = async {
        while !format!("{hub:?}").contains(&text) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(HANG, waiting)
        .await
        .expect("the stuck client is dropped");
}

#[doyen_test::test(sqlite)]
async fn a_client_that_does_not_read_is_dropped_and_nobody_waits(app: Buffered) {
    let server = app.0.serve().await;
    let mut stuck = RawSocket::open(&server, &key("buyer")).await;
    let mut reading = RawSocket::open(&server, &key("buyer")).await;
    stuck.subscribe("a", None).await;
    reading.subscribe("a", None).await;
    get_stuck(&mut stuck).await;
    // More than its buffer holds. The other one gets each.
    app.0.place_many("a", 0, 100).await;
    for n in 0..100 {
        assert_eq!(reading.n().await, n);
    }
    wait_for_connections(&app.0, 1).await;
}

#[doyen_test::test(sqlite)]
async fn a_write_that_takes_too_long_ends_the_socket(app: Timed) {
    let server = app.0.serve().await;
    let mut stuck = RawSocket::open(&server, &key("buyer")).await;
    get_stuck(&mut stuck).await;
    wait_for_connections(&app.0, 0).await;
}

/// Connects with a small receive buffer, so that the system holds little for the client.
async fn connect_narrow(server: &doyen_test::Live) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(server.address()).await.unwrap()
}

#[doyen_test::test(sqlite)]
async fn a_stream_that_is_not_read_is_ended_and_resumes_without_loss(app: Buffered) {
    // The system takes some megabytes for a client that reads nothing.
    const COUNT: i64 = 4000;
    let order = "o".repeat(1500);
    let server = app.0.serve().await;
    let key = key("buyer");
    let path = format!("/orders/{order}/events");
    let headers = format!("Authorization: Key {key}\r\n");
    let mut stuck = EventSource::on(connect_narrow(&server).await, &path, &headers).await;
    let mut reading = EventSource::open(&server, &path, &headers).await;
    // Both are open.
    stuck.next().await.unwrap();
    reading.next().await.unwrap();
    let placing = async {
        for from in (0..COUNT).step_by(10) {
            app.0.place_many(&order, from, from + 10).await;
        }
    };
    let seeing = async {
        let mut last = reading.event().await.unwrap();
        for n in 0..COUNT {
            assert_eq!(last.n(), n, "no client waits for the other");
            if n + 1 < COUNT {
                last = reading.event().await.unwrap();
            }
        }
    };
    tokio::join!(placing, seeing);
    let (mut seen, mut id) = (0, String::new());
    let end = loop {
        let block = stuck.next().await.expect("a reason before the end");
        if block.field("event").is_none() {
            break block.0;
        }
        assert_eq!(block.n(), seen);
        seen += 1;
        block.field("id").unwrap().clone_into(&mut id);
    };
    assert_eq!(end, ": closed: slow_consumer\n\n");
    assert!(seen < COUNT, "the system held everything: {seen}");
    let headers = format!("{headers}Last-Event-ID: {id}\r\n");
    let mut resumed = EventSource::open(&server, &path, &headers).await;
    for n in seen..COUNT {
        assert_eq!(resumed.event().await.unwrap().n(), n);
    }
}
