//! A stop under load: no request that was sent is lost.

use std::time::Duration;

use crate::load::{Kind, Load, Target};
use crate::server::{run, soon, status};

const CLIENTS: usize = 8;
const ROUNDS: usize = 3;

/// Stops servers under load.
async fn stops(kind: Kind, delay: Duration) {
    let target = Target::get("/hello");
    for round in 0..ROUNDS {
        let mut server = run(|options| options.drain_delay = delay).await;
        // Without a stop, nothing is lost either.
        let load = Load::start(kind, CLIENTS, server.address, &target);
        load.reached(50).await;
        let report = load.finished().await;
        assert!(report.lost.is_empty(), "round {round}: {report:?}");
        let load = Load::start(kind, CLIENTS, server.address, &target);
        load.reached(200).await;
        server.stop();
        let report = load.ended().await;
        assert!(report.lost.is_empty(), "round {round}: {report:?}");
        assert!(report.served >= 200, "{report:?}");
        assert_eq!(server.cut().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_on_a_fresh_connection() {
    stops(Kind::Fresh, Duration::ZERO).await;
    stops(Kind::Fresh, Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_on_a_kept_connection() {
    stops(Kind::Kept, Duration::ZERO).await;
    stops(Kind::Kept, Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_loses_no_request_over_http_2() {
    stops(Kind::Http2, Duration::ZERO).await;
    stops(Kind::Http2, Duration::from_millis(100)).await;
}

#[tokio::test]
async fn a_drain_announces_the_close_from_the_beginning() {
    let mut server = run(|options| options.drain_delay = Duration::from_secs(300)).await;
    let mut kept = server.connect().await;
    kept.get("/hello").await;
    assert!(!kept.answer().await.0.contains("connection: close"));
    let mut busy = server.connect().await;
    busy.get("/hold").await;
    server.reached().await;
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let (mut client, mut connection) = h2::client::handshake(stream).await.unwrap();
    let request = http::Request::get("http://a/hello").body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    soon(async {
        tokio::select! {
            ended = &mut connection => panic!("{ended:?}"),
            response = response => response.unwrap(),
        }
    })
    .await;
    server.stop();
    server.draining().await;
    // A connection that is kept, one that is busy, and a new one.
    kept.get("/hello").await;
    server.gate.go.add_permits(1);
    let mut fresh = server.connect().await;
    fresh.get("/hello").await;
    for wire in [&mut kept, &mut busy, &mut fresh] {
        let (head, _) = wire.answer().await;
        assert_eq!(status(&head), "200");
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(wire.rest().await, "");
    }
    // GOAWAY ends an HTTP/2 connection that has no streams.
    soon(connection).await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_has_time_for_a_last_request() {
    let mut server = run(|_| {}).await;
    let mut kept = server.connect().await;
    kept.get("/hello").await;
    kept.answer().await;
    let mut fresh = server.connect().await;
    server.stop();
    server.draining().await;
    for wire in [&mut kept, &mut fresh] {
        wire.get("/hello").await;
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("200", "hello"));
        assert!(head.contains("connection: close"), "{head}");
    }
    assert_eq!(server.cut().await, 0);
}
