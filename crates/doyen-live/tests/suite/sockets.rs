//! WebSockets: the handshake, typed messages, topics, presence, the end of a socket.

use std::time::Duration;

use doyen_test::Setup;
use serde_json::json;

use crate::kit::{CLOSE, PING, RawSocket, Shop, key, quick};

#[doyen_test::test]
async fn messages_are_typed_in_both_directions(app: Shop) {
    let server = app.serve().await;
    let mut socket = RawSocket::open(&server, &key("buyer")).await;
    let head = socket.head.to_lowercase();
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(head.contains("sec-websocket-protocol: orders.v1"), "{head}");
    socket.send(json!({"type": "echo", "text": "grüß"})).await;
    assert_eq!(
        socket.message().await,
        json!({"type": "echo", "text": "grüß"})
    );
    socket.subscribe("a", None).await;
    app.place("b", 1).await;
    app.place("a", 2).await;
    let event = socket.message_of("event").await;
    assert_eq!(event["topic"], "order:a");
    assert_eq!(event["event"], "order.placed");
    assert_eq!(event["data"], json!({"order": "a", "n": 2}));
    socket
        .send(json!({"type": "unsubscribe", "order": "a"}))
        .await;
    socket.send(json!({"type": "echo", "text": "1"})).await;
    socket.message_of("echo").await;
    app.place("a", 3).await;
    socket.subscribe("b", None).await;
    app.place("b", 4).await;
    assert_eq!(socket.n().await, 4);
}

#[doyen_test::test]
async fn an_invalid_message_is_answered_and_the_socket_stays_open(app: Shop) {
    let server = app.serve().await;
    let mut socket = RawSocket::open(&server, &key("buyer")).await;
    for (message, code, pointers) in [
        (
            r#"{"type": "place", "order": "a", "n": 5000}"#,
            "invalid",
            vec!["/n"],
        ),
        (
            r#"{"type": "place", "n": "x", "m": 1}"#,
            "invalid",
            vec!["/order", "/n", "/m"],
        ),
        (r#"{"type": "nothing"}"#, "invalid", vec!["/type"]),
        (r#"{"type": "queue"}"#, "owner_only", vec![]),
        ("{", "malformed_json", vec![]),
        ("[1]", "invalid", vec![""]),
    ] {
        socket.text(message).await;
        let error = socket.message().await;
        assert_eq!(error["type"], "error", "{message}: {error}");
        let mut found: Vec<&str> = error["pointers"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one.as_str())
            .collect();
        found.sort_unstable();
        let mut pointers = pointers;
        pointers.sort_unstable();
        assert_eq!(
            (error["code"].as_str().unwrap(), found),
            (code, pointers),
            "{message}"
        );
    }
    socket
        .send(json!({"type": "echo", "text": "still here"}))
        .await;
    assert_eq!(socket.message().await["text"], "still here");
}

#[doyen_test::test]
async fn each_message_is_a_unit_of_work_that_an_error_rolls_back(app: Shop) {
    let server = app.serve().await;
    let mut socket = RawSocket::open(&server, &key("owner")).await;
    socket.subscribe("a", None).await;
    socket
        .send(json!({"type": "place", "order": "a", "n": 1, "fail": true}))
        .await;
    let error = socket.message_of("error").await;
    assert_eq!(error["code"], "internal", "an unexpected error is opaque");
    assert!(!error["detail"].as_str().unwrap().contains("on purpose"));
    socket
        .send(json!({"type": "place", "order": "a", "n": 2}))
        .await;
    // What the failed message had sent does not leave.
    let mut placed = socket.message().await;
    while placed["type"] == "presence" {
        placed = socket.message().await;
    }
    assert_eq!(placed["text"], "placed", "{placed}");
    assert_eq!(socket.n().await, 2);
    assert_eq!(app.count("doyen_outbox").await, 1);
}

#[doyen_test::test]
async fn a_socket_resumes_each_topic_where_it_was(app: Shop) {
    let server = app.serve().await;
    let key = key("owner");
    let mut first = RawSocket::open(&server, &key).await;
    first.subscribe("a", None).await;
    app.place_many("a", 0, 10).await;
    let mut id = String::new();
    for n in 0..5 {
        let event = first.message_of("event").await;
        assert_eq!(event["data"]["n"], n);
        id = event["id"].as_str().unwrap().to_owned();
    }
    drop(first);
    let mut second = RawSocket::open(&server, &key).await;
    second.subscribe("a", Some(&id)).await;
    app.place("a", 10).await;
    for n in 5..=10 {
        assert_eq!(second.n().await, n);
    }
    let mut third = RawSocket::open(&server, &key).await;
    third.subscribe("a", Some("123456")).await;
    let missed = third.message_of("error").await;
    assert_eq!(
        (&missed["code"], &missed["topic"]),
        (&json!("events_missed"), &json!("order:a"))
    );
    app.place("a", 11).await;
    assert_eq!(third.n().await, 11);
}

#[doyen_test::test]
async fn the_queue_has_the_events_of_all_orders(app: Shop) {
    let server = app.serve().await;
    let mut owner = RawSocket::open(&server, &key("owner")).await;
    owner.send(json!({"type": "queue"})).await;
    assert_eq!(owner.message().await["topic"], "queue");
    for n in 0..3 {
        app.place(&format!("order{n}"), n).await;
    }
    for n in 0..3 {
        let event = owner.message_of("event").await;
        assert_eq!(
            (&event["topic"], &event["data"]["n"]),
            (&json!("queue"), &json!(n))
        );
    }
}

#[doyen_test::test]
async fn present_users_see_each_other_and_who_types(app: Shop) {
    let server = app.serve().await;
    let (ada, bob) = (key("buyer"), key("buyer"));
    let mut first = RawSocket::open(&server, &ada).await;
    first.subscribe("a", None).await;
    assert_eq!(first.message_of("presence").await["users"], json!([ada]));
    let mut second = RawSocket::open(&server, &bob).await;
    second.subscribe("a", None).await;
    let mut both = vec![ada.clone(), bob.clone()];
    both.sort();
    assert_eq!(second.message_of("presence").await["users"], json!(both));
    assert_eq!(first.message_of("presence").await["users"], json!(both));
    second.send(json!({"type": "typing", "order": "a"})).await;
    let typing = first.message_of("typing").await;
    assert_eq!(
        (&typing["topic"], &typing["user"]),
        (&json!("order:a"), &json!(bob))
    );
    drop(second);
    assert_eq!(first.message_of("presence").await["users"], json!([ada]));
}

#[doyen_test::test(sqlite)]
async fn a_handshake_is_checked_before_the_101(app: Shop) {
    let server = app.serve().await;
    let auth = format!("Authorization: Key {}\r\n", key("buyer"));
    for (headers, status) in [
        (String::new(), 401),
        (format!("{auth}Origin: https://evil.example\r\n"), 403),
        (format!("{auth}Origin: null\r\n"), 403),
        (format!("{auth}Sec-WebSocket-Protocol: other\r\n"), 400),
        (format!("Cookie: key={}\r\n", key("buyer")), 403),
        (
            format!(
                "Cookie: key={}\r\nOrigin: https://evil.example\r\n",
                key("buyer")
            ),
            403,
        ),
    ] {
        let socket = RawSocket::handshake(&server, "/socket", &headers).await;
        assert_eq!(socket.status(), status, "{headers}");
    }
    for headers in [
        auth.clone(),
        format!("{auth}Origin: http://localhost\r\n"),
        format!(
            "Cookie: key={}\r\nOrigin: http://localhost\r\n",
            key("buyer")
        ),
    ] {
        let socket = RawSocket::handshake(&server, "/socket", &headers).await;
        assert_eq!(socket.status(), 101, "{headers}");
    }
    let plain =
        format!("GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{auth}\r\n");
    let answer = server.exchange(plain).await;
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    assert!(
        answer.to_lowercase().contains("sec-websocket-version: 13"),
        "{answer}"
    );
    let old = format!(
        "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{auth}\r\n"
    );
    let mut stream = server.connect().await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, old.as_bytes())
        .await
        .unwrap();
    let mut start = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut start)
        .await
        .unwrap();
    assert_eq!(&start, b"HTTP/1.1 426");
}

#[doyen_test::test]
async fn a_connection_token_opens_one_socket(app: Shop) {
    let server = app.serve().await;
    let key = key("owner");
    app.post("/live/tokens").send().await.expect(401);
    let auth = format!("Key {key}");
    let created = app
        .post("/live/tokens")
        .header("authorization", &auth)
        .send()
        .await
        .expect(201);
    assert_eq!(created.at("/expires_in"), json!(60));
    let token = created.text_at("/token").to_owned();
    let rows = app.rows("SELECT id FROM live_tokens", []).await;
    assert!(
        !rows[0].to_string().contains(&token),
        "the database does not have the token"
    );
    let path = format!("/socket?token={token}");
    let evil = RawSocket::handshake(&server, &path, "Origin: https://evil.example\r\n").await;
    assert_eq!(evil.status(), 403);
    let mut socket = RawSocket::handshake(&server, &path, "Origin: http://localhost\r\n").await;
    assert_eq!(socket.status(), 101, "{}", socket.head);
    socket.send(json!({"type": "queue"})).await;
    assert_eq!(socket.message().await["type"], "subscribed");
    let again = RawSocket::handshake(&server, &path, "").await;
    assert_eq!(again.status(), 401);
    let unknown = RawSocket::handshake(&server, "/socket?token=AAAA", "").await;
    assert_eq!(unknown.status(), 401);
    // No other route takes it, and no route takes an access token in the URL.
    let other = app
        .post("/live/tokens")
        .header("authorization", &auth)
        .send()
        .await
        .expect(201);
    let token = other.text_at("/token").to_owned();
    app.post(format!("/live/tokens?token={token}"))
        .send()
        .await
        .expect(401);
    let wrong = RawSocket::handshake(&server, &format!("/socket?access_token={key}"), "").await;
    assert_eq!(wrong.status(), 401);
    // The socket ends with the credentials that created its token.
    crate::kit::revoke(&key);
    assert_eq!(socket.closed().await, (1008, "access_ended".to_owned()));
}

#[doyen_test::test]
async fn of_many_handshakes_with_one_token_one_succeeds(app: Shop) {
    let server = app.serve().await;
    let created = app
        .post("/live/tokens")
        .header("authorization", format!("Key {}", key("buyer")))
        .send()
        .await
        .expect(201);
    let path = format!("/socket?token={}", created.text_at("/token"));
    let handshakes = (0..8).map(|_| RawSocket::handshake(&server, &path, ""));
    let sockets = futures_util::future::join_all(handshakes).await;
    let mut statuses: Vec<u16> = sockets.iter().map(RawSocket::status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [101, 401, 401, 401, 401, 401, 401, 401]);
}

struct Beating(Shop);

impl doyen_test::Subject for Beating {
    fn app() -> doyen::App {
        Shop::app()
    }
    fn setup() -> Setup {
        quick()
            .set("live.heartbeat", "100ms")
            .set("live.idle_timeout", "1s")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(Shop::new(app))
    }
}

#[doyen_test::test(sqlite)]
async fn a_peer_that_answers_no_ping_is_disconnected(app: Beating) {
    let server = app.0.serve().await;
    let mut silent = RawSocket::open(&server, &key("buyer")).await;
    silent.subscribe("a", None).await;
    let mut pings = 0;
    let reason = loop {
        let frame = silent.read().await.unwrap();
        match frame.opcode {
            PING => pings += 1,
            CLOSE => break frame.close(),
            _ => {}
        }
    };
    assert_eq!(reason, (1008, "unresponsive".to_owned()));
    assert!(pings >= 1);
}

#[doyen_test::test(sqlite)]
async fn an_idle_socket_is_closed_and_a_subscribed_one_is_not(app: Beating) {
    let server = app.0.serve().await;
    let mut idle = RawSocket::open(&server, &key("buyer")).await;
    let mut watching = RawSocket::open(&server, &key("buyer")).await;
    watching.subscribe("a", None).await;
    // Both answer their pings.
    let closed = tokio::select! {
        closed = idle.closed_after_pings() => closed,
        closed = watching.closed_after_pings() => panic!("{closed:?}"),
    };
    assert_eq!(closed, (1000, "idle".to_owned()));
    watching.send(json!({"type": "echo", "text": "here"})).await;
    assert_eq!(watching.message_of("echo").await["text"], "here");
}

#[doyen_test::test(sqlite)]
async fn a_drain_closes_sockets_with_a_time_to_reconnect(app: Shop) {
    let mut server = app.serve().await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(RawSocket::open(&server, &key("buyer")).await);
    }
    server.stop();
    for socket in &mut sockets {
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 1001);
        let wait = reason
            .strip_prefix("draining; retry_ms=")
            .expect("a time to reconnect");
        assert!(wait.parse::<u64>().unwrap() <= 5000);
        socket.frame(0x80 | CLOSE, &1001_u16.to_be_bytes()).await;
    }
    tokio::time::timeout(Duration::from_secs(10), server.stopped())
        .await
        .expect("no socket holds up the stop");
}

#[doyen_test::test(sqlite)]
async fn a_handler_can_close_its_socket(app: Shop) {
    let server = app.serve().await;
    let mut socket = RawSocket::open(&server, &key("buyer")).await;
    socket.send(json!({"type": "leave"})).await;
    assert_eq!(socket.closed().await, (1000, "closed".to_owned()));
}
