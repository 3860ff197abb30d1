//! Memory for clients that do not read their responses: it is bounded, and the connection that
//! holds most is closed first. Over real sockets, with a small limit.

use std::time::Duration;

use bytes::Bytes;
use doyen::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::http2::{PREFACE, closed_window, frame, requests};
use crate::server::{Running, run_edge, soon, status};
use crate::shed::ask;

const LIMIT: usize = 8 << 20;

/// Reading pauses a quarter above the limit. In addition there are the requests that were read just
/// before, and the responses in preparation for them.
const BOUND: usize = 2 * LIMIT + LIMIT / 4;

const LARGE: usize = (1 << 20) + (1 << 19);

/// A response of more than a megabyte
#[get("/large", allow = anyone)]
async fn large() -> Text {
    Text("x".repeat(LARGE))
}

/// Take a body.
#[post("/take", allow = anyone)]
async fn take(body: Bytes) -> Text {
    Text(body.len().to_string())
}

async fn serving() -> Running {
    run_edge(routes![large, take], |edge| edge.buffer_limit = LIMIT).await
}

/// A connection that sends this and reads nothing.
async fn unread(server: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // It may be cut while it sends.
    let _ = stream.write_all(bytes).await;
    stream
}

/// Checks that the memory stays within the bound while the server is busy.
async fn stays_bounded(server: &Running) -> usize {
    let mut most = 0;
    for _ in 0..50 {
        most = most.max(server.pressure().buffered);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(most <= BOUND, "{most}");
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_over_http_2_are_bounded() {
    for (method, path) in [
        ("GET", "/nothing"),
        ("GET", "/hello"),
        ("HEAD", "/hello"),
        ("OPTIONS", "/hello"),
        ("GET", "/large"),
    ] {
        let server = serving().await;
        let attack = [closed_window(), requests(method, path, 120)].concat();
        let mut held = Vec::new();
        for _ in 0..40 {
            held.push(unread(&server, &attack).await);
        }
        let most = stays_bounded(&server).await;
        assert!(most > 0, "{method} {path}");
        if path != "/hello" {
            assert!(server.pressure().disconnected > 0, "{method} {path} {most}");
        }
        assert_eq!(
            status(&ask(&server, "/hello").await.0),
            "200",
            "{method} {path}"
        );
        drop(held);
        released(&server).await;
    }
}

async fn released(server: &Running) {
    soon(async {
        while server.pressure().buffered > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_over_http_1_are_bounded() {
    let server = serving().await;
    let mut held = Vec::new();
    for _ in 0..30 {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        let _ = stream
            .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            .await;
        held.push(stream);
    }
    let most = stays_bounded(&server).await;
    assert!(most >= 1 << 20, "{most}");
    assert!(server.pressure().disconnected > 0);
    drop(held);
    released(&server).await;
}

/// The parser continues while the heads of responses are not written, if requests have bodies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_heads_over_http_1_are_bounded() {
    let server = serving().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Long enough that the buffers of the system hold a few thousand.
    let filler = "x".repeat(2_000);
    let request =
        format!("HEAD /hello HTTP/1.1\r\nhost: a\r\nx: {filler}\r\ncontent-length: 1\r\n\r\nx");
    let requests = request.repeat(100);
    let mut sent = 0;
    let sends = async {
        while stream.write_all(requests.as_bytes()).await.is_ok() {
            sent += 100;
        }
    };
    // Closed, or no longer read.
    let _ = tokio::time::timeout(Duration::from_secs(3), sends).await;
    assert!(sent < 30_000, "{sent}");
    assert!(server.pressure().buffered <= BOUND);
}

/// A client that reads slowly gets the complete response while another fills the memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_hold_less_are_not_closed() {
    let server = serving().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut honest = socket.connect(server.address).await.unwrap();
    honest
        .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(
            unread(
                &server,
                &[closed_window(), requests("GET", "/large", 3)].concat(),
            )
            .await,
        );
    }
    stays_bounded(&server).await;
    assert!(server.pressure().disconnected > 0);
    let mut response = Vec::new();
    soon(honest.read_to_end(&mut response)).await.unwrap();
    assert!(response.len() > LARGE, "{}", response.len());
}

/// A connection that holds a quarter of the limit is warned, and continues once its client has
/// read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_holds_much_gets_503_until_it_reads() {
    let server = serving().await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(0)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let ask = async |path: &str| {
        let mut client = client.clone().ready().await.unwrap();
        let request = http::Request::get(format!("http://a{path}"));
        let (response, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        soon(response).await.unwrap()
    };
    let first = ask("/large").await;
    let second = ask("/large").await;
    assert_eq!(
        (first.status().as_u16(), second.status().as_u16()),
        (200, 200)
    );
    let refused = ask("/hello").await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    drop((first, second, refused));
    soon(async {
        while ask("/hello").await.status() != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Heads and bodies that are never complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_do_not_end_are_bounded() {
    let fields = format!(
        "GET /hello HTTP/1.1\r\nhost: a\r\nx: {}",
        "x".repeat(30_000)
    );
    let body = format!(
        "POST /take HTTP/1.1\r\nhost: a\r\ncontent-type: application/octet-stream\r\n\
         content-length: 900000\r\n\r\n{}",
        "x".repeat(800_000)
    );
    for (bytes, count) in [(fields, 600), (body, 40)] {
        let server = serving().await;
        let mut held = Vec::new();
        for _ in 0..count {
            held.push(unread(&server, bytes.as_bytes()).await);
        }
        let most = stays_bounded(&server).await;
        assert!(most > LIMIT / 2, "{most}");
        assert_eq!(status(&ask(&server, "/hello").await.0), "200");
        drop(held);
        released(&server).await;
    }
}

#[tokio::test]
async fn floods_of_control_frames_are_cut_off() {
    for (name, flood) in [
        ("PING", frame(6, 0, 0, &[7; 8])),
        ("SETTINGS", frame(4, 0, 0, &[])),
        ("WINDOW_UPDATE", frame(8, 0, 0, &[0, 0, 0, 1])),
        ("PRIORITY", frame(2, 0, 1, &[0, 0, 0, 3, 16])),
        ("unknown", frame(0xbe, 0, 0, &[])),
    ] {
        let server = serving().await;
        let stream = unread(&server, &[PREFACE, &frame(4, 0, 0, &[])].concat()).await;
        let (mut read, mut write) = stream.into_split();
        let ends = tokio::spawn(async move {
            let mut bytes = vec![0; 64 << 10];
            while read.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        });
        // Far more than it may send, while it reads the responses.
        let sends = async {
            for _ in 0..200 {
                if write.write_all(&flood.repeat(100)).await.is_err() {
                    break;
                }
            }
        };
        soon(sends).await;
        soon(ends)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
