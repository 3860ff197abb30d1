//! The access log line of a streamed response is written when the stream ends.

use std::sync::Arc;

use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::shop::Shop;

/// Lets the second half of the stream pass.
#[derive(Default)]
struct SecondHalf(Notify);

/// Stream ten bytes
#[get("/ten", allow = anyone)]
async fn ten(gate: Arc<SecondHalf>) -> Stream<doyen::web::response::PlainText> {
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>("first".into())]);
    let second = futures_util::stream::once(async move {
        gate.0.notified().await;
        Ok("-last".into())
    });
    Stream::new(first.chain(second))
}

struct Streaming(TestApp);

impl Subject for Streaming {
    fn app() -> App {
        Shop::app()
    }
    fn setup() -> Setup {
        Setup::new()
            .replace(Arc::new(SecondHalf::default()))
            .module(Module::new("streams").routes(routes![ten]))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

const REQUEST: &[u8] = b"GET /ten HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Reads until this text has arrived.
async fn read_until(stream: &mut tokio::net::TcpStream, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let mut bytes = [0; 512];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(length > 0, "the connection ended after {read:?}");
        read.push_str(&String::from_utf8_lossy(&bytes[..length]));
    }
    read
}

/// Waits for the line of the stream, the only one.
async fn line(app: &TestApp) -> Value {
    loop {
        if let Some(line) = app.log().pop() {
            assert_eq!(app.log().len(), 1);
            return line;
        }
        tokio::task::yield_now().await;
    }
}

#[doyen_test::test(sqlite)]
async fn the_line_of_a_stream_is_written_at_its_end(Streaming(app): Streaming) {
    let gate: Arc<SecondHalf> = app.inject().await;
    let live = app.serve().await;
    let mut stream = live.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    read_until(&mut stream, "first").await;
    assert!(app.log().is_empty(), "{:?}", app.log());
    gate.0.notify_one();
    read_until(&mut stream, "-last").await;
    let line = line(&app).await;
    assert_eq!(line["bytes"], 10, "{line}");
    assert_eq!(line["route"], "/ten");
    assert_eq!(line["status"], 200);
    assert!(line.get("aborted").is_none(), "{line}");
}

#[doyen_test::test(sqlite)]
async fn the_line_of_a_stream_that_is_cut_says_so(Streaming(app): Streaming) {
    let live = app.serve().await;
    let mut stream = live.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    read_until(&mut stream, "first").await;
    drop(stream);
    let line = line(&app).await;
    assert_eq!(line["bytes"], 5, "{line}");
    assert_eq!(line["aborted"], true, "{line}");
}
