//! A connection ends when its caller loses or changes its rights.

use serde_json::json;

use crate::kit::{EventSource, RawSocket, Shop, change, key, revoke};

#[doyen_test::test]
async fn a_stream_and_a_socket_end_after_a_logout(app: Shop) {
    let server = app.serve().await;
    let (leaving, staying) = (key("buyer"), key("buyer"));
    let mut stream = EventSource::watch(&server, &leaving, "a", "").await;
    let mut socket = RawSocket::open(&server, &leaving).await;
    let mut other = RawSocket::open(&server, &staying).await;
    socket.subscribe("a", None).await;
    other.subscribe("a", None).await;
    revoke(&leaving);
    assert_eq!(socket.closed().await, (1008, "access_ended".to_owned()));
    assert!(stream.rest().await.ends_with(": closed: access_ended\n\n"));
    app.place("a", 1).await;
    assert_eq!(other.n().await, 1);
    let headers = format!("Authorization: Key {leaving}\r\n");
    let refused = EventSource::open(&server, "/orders/a/events", &headers).await;
    assert!(refused.head.starts_with("HTTP/1.1 401"));
}

#[doyen_test::test(sqlite)]
async fn a_socket_ends_after_a_change_of_the_role(app: Shop) {
    let server = app.serve().await;
    let key = key("owner");
    let mut socket = RawSocket::open(&server, &key).await;
    socket.send(json!({"type": "queue"})).await;
    assert_eq!(socket.message().await["type"], "subscribed");
    change(&key, "buyer");
    assert_eq!(socket.closed().await.0, 1008);
    let mut socket = RawSocket::open(&server, &key).await;
    socket.send(json!({"type": "queue"})).await;
    assert_eq!(socket.message().await["code"], "owner_only");
}

#[doyen_test::test(sqlite)]
async fn a_message_that_is_being_handled_does_not_delay_the_end(app: Shop) {
    let server = app.serve().await;
    let key = key("buyer");
    let mut socket = RawSocket::open(&server, &key).await;
    socket.send(json!({"type": "wait"})).await;
    revoke(&key);
    assert_eq!(socket.closed().await.0, 1008);
}
