//! Server-sent events over a socket. Over HTTP/1.1 the connection leaves the parser for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen::prelude::*;
use doyen::web::response::Event;
use doyen::web::{Module, Service};
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::server::{Running, Wire, run_built, soon, status};

/// Streams that are open.
#[derive(Debug, Default)]
struct OpenStreams(AtomicUsize);

/// Counts a stream until it is dropped.
struct Counted(Arc<OpenStreams>);

impl Counted {
    fn new(open: Arc<OpenStreams>) -> Self {
        open.0.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Send two numbers
#[get("/numbers", allow = anyone)]
async fn numbers() -> Sse<u32> {
    Sse::all(stream::iter([1, 2].map(Event::new)))
}

/// Send one number, then nothing
#[get("/open", allow = anyone)]
async fn open(streams: Arc<OpenStreams>) -> Sse<u32> {
    let counted = Counted::new(streams);
    let silence = stream::pending().map(move |number: u32| {
        let _ = &counted;
        Event::new(number)
    });
    Sse::all(stream::iter([Event::new(1)]).chain(silence))
}

/// Send one number, then fail
#[get("/fails", allow = anyone)]
async fn fails() -> Sse<u32> {
    let failure = Err(std::io::Error::other("the source failed"));
    Sse::new(stream::iter([Ok(Event::new(1)), failure]))
}

/// Send numbers without an end
#[get("/endless", allow = anyone)]
async fn endless(streams: Arc<OpenStreams>) -> Sse<Vec<u32>> {
    let counted = Counted::new(streams);
    let numbers = stream::repeat_with(move || {
        let _ = &counted;
        Event::new(vec![1; 10_000])
    });
    Sse::all(numbers)
}

async fn serving() -> (Running, Arc<OpenStreams>) {
    let streams = Arc::new(OpenStreams::default());
    let module = Module::new("events").routes(routes![numbers, open, fails, endless]);
    let builder = Service::builder().module(module.provide(Arc::clone(&streams)));
    let server = run_built(builder, |options| {
        options.header_timeout = Duration::from_millis(300);
    });
    (server.await, streams)
}

/// Waits until no stream is open.
async fn all_dropped(streams: &OpenStreams) {
    soon(async {
        while streams.0.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Reads until this text has arrived.
async fn until(wire: &mut Wire, text: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(text) {
        all.push(char::from(soon(wire.0.read_u8()).await.expect("a byte")));
    }
    all
}

const BOTH: &str = "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\n\r\n";

#[tokio::test]
async fn events_are_chunks_and_the_connection_closes_after_the_last_one() {
    let (server, _) = serving().await;
    let mut wire = server.connect().await;
    wire.get("/numbers").await;
    let all = wire.rest().await;
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    for line in [
        "\r\ncontent-type: text/event-stream",
        "\r\nconnection: close",
        "\r\ntransfer-encoding: chunked",
        "\r\ndate: ",
        "\r\nx-request-id: ",
        "\r\nx-content-type-options: nosniff",
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} in {head}");
    }
    assert!(!head.contains("content-length"), "{head}");
    assert_eq!(body, BOTH);
}

#[tokio::test]
async fn a_stream_that_fails_has_no_last_chunk() {
    let (server, _) = serving().await;
    let mut wire = server.connect().await;
    wire.get("/fails").await;
    let all = wire.rest().await;
    assert!(all.ends_with("9\r\ndata: 1\n\n\r\n"), "{all}");
}

#[tokio::test]
async fn earlier_responses_of_the_connection_arrive_first() {
    let (server, _) = serving().await;
    let mut wire = server.connect().await;
    // All at once, and what follows the stream gets no response.
    let hello = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
    let stream = "GET /numbers HTTP/1.1\r\nhost: a\r\n\r\n";
    wire.send(&[hello, hello, stream, hello].concat()).await;
    let all = wire.rest().await;
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 3, "{all}");
    assert_eq!(all.matches("data: ").count(), 2, "{all}");
    assert!(all.ends_with("0\r\n\r\n"), "{all}");
}

#[tokio::test]
async fn other_requests_of_the_route_stay_with_the_parser() {
    let (server, _) = serving().await;
    let mut wire = server.connect().await;
    wire.send("HEAD /numbers HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (head, _) = wire.answer().await;
    assert!(head.contains("text/event-stream"), "{head}");
    // The connection goes on.
    wire.get("/hello").await;
    assert_eq!(status(&wire.answer().await.0), "200");
    // HTTP/1.0 has no chunks.
    let mut old = server.connect().await;
    old.send("GET /numbers HTTP/1.0\r\nhost: a\r\n\r\n").await;
    let all = old.rest().await;
    assert!(all.ends_with("\r\n\r\ndata: 1\n\ndata: 2\n\n"), "{all}");
}

#[tokio::test]
async fn a_client_that_disconnects_ends_its_stream() {
    let (server, streams) = serving().await;
    let mut wire = server.connect().await;
    wire.get("/open").await;
    until(&mut wire, "data: 1\n\n\r\n").await;
    assert_eq!(streams.0.load(Ordering::SeqCst), 1);
    // Silence is no reason to close it, although the header timeout is short.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(streams.0.load(Ordering::SeqCst), 1);
    drop(wire);
    all_dropped(&streams).await;
}

#[tokio::test]
async fn a_client_that_sends_without_end_is_disconnected() {
    let (server, streams) = serving().await;
    let mut wire = server.connect().await;
    wire.get("/open").await;
    until(&mut wire, "data: 1\n\n\r\n").await;
    let flood = [b'x'; 16 << 10];
    soon(async { while wire.0.write_all(&flood).await.is_ok() {} }).await;
    all_dropped(&streams).await;
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_disconnected() {
    let (server, streams) = serving().await;
    let mut wire = server.connect().await;
    wire.get("/endless").await;
    until(&mut wire, "data: ").await;
    all_dropped(&streams).await;
    assert_eq!(server.pressure().buffered, 0, "nothing is charged any more");
}

#[tokio::test]
async fn a_stop_cuts_a_stream_at_its_deadline() {
    let streams = Arc::new(OpenStreams::default());
    let module = Module::new("events").routes(routes![open]);
    let builder = Service::builder().module(module.provide(Arc::clone(&streams)));
    let mut server = run_built(builder, |options| {
        options.drain_deadline = Duration::from_millis(300);
    })
    .await;
    let mut wire = server.connect().await;
    wire.get("/open").await;
    until(&mut wire, "data: 1\n\n\r\n").await;
    server.stop();
    assert_eq!(server.cut().await, 1);
    all_dropped(&streams).await;
}
