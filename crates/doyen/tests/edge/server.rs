//! The server over sockets, byte by byte: keep-alive, limits, timeouts, strictness, HTTP/2, drain.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use doyen::domain::inject::Teardown;
use doyen::prelude::*;
use doyen::web::{Builder, Drained, EdgeOptions, Pressure, Server, ServerOptions, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::kit::{Value, finish};

/// Holds a request in its handler.
pub(crate) struct Gate {
    pub(crate) reached: Semaphore,
    pub(crate) go: Semaphore,
}

/// The released values, in order.
pub(crate) type Released = Mutex<Vec<&'static str>>;

#[derive(Clone)]
struct ApplicationValue;

#[provider(application)]
async fn app(released: Arc<Released>, teardown: Teardown) -> ApplicationValue {
    teardown.push(async move { released.lock().unwrap().push("application") });
    ApplicationValue
}

/// Say hello.
#[get("/hello", allow = anyone)]
async fn hello() -> Text {
    Text("hello".into())
}

/// Wait for the test
#[get("/hold", allow = anyone)]
async fn hold(
    gate: Arc<Gate>,
    app: ApplicationValue,
    released: Arc<Released>,
    teardown: Teardown,
) -> Text {
    let ApplicationValue = app;
    teardown.push(async move {
        // A slow release still comes before that of the application.
        tokio::task::yield_now().await;
        released.lock().unwrap().push("request");
    });
    gate.reached.add_permits(1);
    gate.go.acquire().await.unwrap().forget();
    Text("held".into())
}

/// Take few bytes.
#[post("/few", allow = anyone, body_limit = 8)]
async fn few(body: Bytes) -> Text {
    Text(body.len().to_string())
}

/// Break off once the test says so.
#[get("/broken", allow = anyone)]
async fn broken(gate: Arc<Gate>) -> Stream<doyen::web::response::PlainText> {
    let first = futures_util::stream::once(async { Ok(Bytes::from("one")) });
    let second = futures_util::stream::once(async move {
        gate.go.acquire().await.unwrap().forget();
        Err(std::io::Error::other("the source failed"))
    });
    let chunks = futures_util::StreamExt::chain(first, second);
    Stream::new(chunks)
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    service: Service,
    pub(crate) gate: Arc<Gate>,
    released: Arc<Released>,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<Drained>,
}

/// A listening server with these options.
pub(crate) async fn run(change: impl FnOnce(&mut ServerOptions)) -> Running {
    run_with(routes![], change).await
}

/// A server with these options and further routes.
pub(crate) async fn run_with(more: Routes, change: impl FnOnce(&mut ServerOptions)) -> Running {
    let more = Service::builder().module(Module::new("more").routes(more));
    run_built(more, change).await
}

/// A server with these options of the pipeline and further routes.
pub(crate) async fn run_edge(more: Routes, change: impl FnOnce(&mut EdgeOptions)) -> Running {
    let mut options = EdgeOptions::default();
    change(&mut options);
    let more = Service::builder()
        .options(options)
        .module(Module::new("more").routes(more));
    run_built(more, |_| {}).await
}

/// A server with these options and all these additions.
pub(crate) async fn run_built(more: Builder, change: impl FnOnce(&mut ServerOptions)) -> Running {
    let gate = Arc::new(Gate {
        reached: Semaphore::new(0),
        go: Semaphore::new(0),
    });
    let released = Arc::new(Released::default());
    let module = Module::new("t")
        .routes(routes![hello, hold, few, broken])
        .provide(Arc::clone(&gate))
        .provide(Arc::clone(&released));
    let service = finish(more.module(module));
    let mut options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    change(&mut options);
    let server = Server::bind(service.clone(), options).await.unwrap();
    let address = server.address().tcp().unwrap();
    let (stop, stopped) = oneshot::channel();
    let container = service.container().clone();
    let done = tokio::spawn(async move {
        let drained = server
            .run_until(async {
                let _ = stopped.await;
            })
            .await;
        // As an application does after its last request.
        container.close().await;
        drained
    });
    Running {
        address,
        service,
        gate,
        released,
        stop: Some(stop),
        done,
    }
}

impl Running {
    pub(crate) async fn connect(&self) -> Wire {
        Wire::open(self.address).await.expect("it listens")
    }

    pub(crate) fn pressure(&self) -> Pressure {
        self.service.pressure()
    }

    /// Waits until a request is in the handler.
    pub(crate) async fn reached(&self) {
        soon(self.gate.reached.acquire()).await.unwrap().forget();
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn stopped(self) -> Arc<Released> {
        soon(self.done).await.unwrap();
        self.released
    }

    /// Waits for the end, then returns the connections that were cut.
    pub(crate) async fn cut(self) -> usize {
        soon(self.done).await.unwrap().cut
    }

    /// Waits until the drain has begun.
    pub(crate) async fn draining(&self) {
        soon(async {
            while !self.service.drain().has_begun() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Fails instead of hanging if the event never occurs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), future)
        .await
        .expect("it never came")
}

/// A raw connection.
pub(crate) struct Wire(pub(crate) TcpStream);

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        soon(TcpStream::connect(address)).await.map(Self)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
            .await;
    }

    /// Reads one response with a length: head and body.
    pub(crate) async fn answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(self.0.read_u8()).await.expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        soon(self.0.read_exact(&mut body)).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// Reads until the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        // A reset is an end too: the server may close while we send.
        let _ = soon(self.0.read_to_end(&mut rest)).await;
        String::from_utf8(rest).unwrap()
    }
}

pub(crate) fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = run(|_| {}).await;
    let mut wire = server.connect().await;
    for _ in 0..3 {
        wire.get("/hello").await;
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("200", "hello"));
        assert!(head.contains("date: ") && !head.contains("connection: close"));
    }
    // Sent at once, answered in order.
    let two = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\nGET /none HTTP/1.1\r\nhost: a\r\n\r\n";
    wire.send(two).await;
    assert_eq!(status(&wire.answer().await.0), "200");
    assert_eq!(status(&wire.answer().await.0), "404");
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let server = run(|_| {}).await;
    let mut wire = server.connect().await;
    wire.send("HEAD /hello HTTP/1.1\r\nhost: a\r\nx-request-id: i\r\nconnection: close\r\n\r\n")
        .await;
    let head = wire.rest().await.to_lowercase();
    let mut wire = server.connect().await;
    wire.send("GET /hello HTTP/1.1\r\nhost: a\r\nx-request-id: i\r\nconnection: close\r\n\r\n")
        .await;
    let get = wire.rest().await.to_lowercase();
    let fields = |text: &str| {
        let mut lines: Vec<String> = text
            .split("\r\n\r\n")
            .next()
            .unwrap()
            .lines()
            .filter(|line| !line.starts_with("date:"))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(fields(&head), fields(&get));
    assert!(head.contains("content-length: 5") && head.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn one_connection_too_many_gets_503() {
    let server = run(|options| options.max_connections = 1).await;
    let mut first = server.connect().await;
    first.get("/hello").await;
    assert_eq!(status(&first.answer().await.0), "200");
    let mut second = server.connect().await;
    // Bytes that the server never reads must not cost the client its response.
    second
        .send(&format!(
            "POST /few HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n{}",
            "x".repeat(20_000)
        ))
        .await;
    let (head, body) = second.answer().await;
    assert_eq!(status(&head), "503");
    for field in [
        "retry-after: 1",
        "connection: close",
        "application/problem+json",
        "cache-control: no-store",
        "nosniff",
    ] {
        assert!(head.contains(field), "{field} is missing in {head}");
    }
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "overloaded");
    let id = problem["request_id"].as_str().unwrap();
    assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
    drop(second);
    // The permit is free again after the first one has gone.
    drop(first);
    soon(async {
        loop {
            let mut next = server.connect().await;
            next.get("/hello").await;
            if status(&next.answer().await.0) == "200" {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_without_a_request_is_closed() {
    let server = run(|options| {
        options.header_timeout = Duration::from_millis(100);
        options.idle_timeout = Duration::from_millis(100);
    })
    .await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in ["", "P", "PRI", "GET /hello HTTP/1.1\r\nhost", preface] {
        let mut wire = server.connect().await;
        wire.send(bytes).await;
        let mut received = Vec::new();
        assert!(
            soon(wire.0.read_to_end(&mut received)).await.is_ok(),
            "{bytes:?}"
        );
    }
    // A byte now and then is no progress.
    let (mut from, mut to) = server.connect().await.0.into_split();
    to.write_all(b"GET /hello HTTP/1.1\r\nx: ").await.unwrap();
    let dribble = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            if to.write_all(b"y").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut received = Vec::new();
    soon(async {
        tokio::select! {
            _ = from.read_to_end(&mut received) => {}
            () = dribble => {}
        }
    })
    .await;
    assert!(!String::from_utf8_lossy(&received).contains("200 OK"));
    // An idle connection is not kept longer either.
    let mut idle = server.connect().await;
    idle.get("/hello").await;
    assert_eq!(status(&idle.answer().await.0), "200");
    assert_eq!(idle.rest().await, "");
}

#[tokio::test]
async fn a_long_response_is_not_an_idle_connection() {
    let server = run(|options| options.header_timeout = Duration::from_millis(50)).await;
    let mut wire = server.connect().await;
    wire.get("/hold").await;
    server.reached().await;
    // Far longer than the header timeout.
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.gate.go.add_permits(1);
    assert_eq!(wire.answer().await.1, "held");
}

#[tokio::test]
async fn a_refused_header_is_a_problem_like_any_other() {
    let server = run(|_| {}).await;
    let mut wire = server.connect().await;
    wire.send("GET /hello HTTP/1.1\r\n\r\n").await;
    let (head, body) = wire.answer().await;
    assert!(head.contains("connection: close"), "{head}");
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "malformed_request");
    assert_eq!(problem["detail"], "The `Host` header is missing.");
    assert_eq!(wire.rest().await, "");
}

#[tokio::test]
async fn a_body_too_large_is_refused_before_it_is_sent() {
    let server = run(|_| {}).await;
    let mut wire = server.connect().await;
    wire.send(
        "POST /few HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n",
    )
    .await;
    assert_eq!(status(&wire.answer().await.0), "413");
    // A body that fits is requested with 100 Continue.
    let mut wire = server.connect().await;
    wire.send("POST /few HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
        .await;
    assert_eq!(status(&wire.answer().await.0), "100");
    wire.send("abc").await;
    assert_eq!(wire.answer().await.1, "3");
    // With chunks no length is announced, so the bytes are counted.
    let mut wire = server.connect().await;
    wire.send("POST /few HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n5\r\n12345\r\n")
        .await;
    assert_eq!(status(&wire.answer().await.0), "413");
}

#[tokio::test]
async fn a_stream_that_fails_breaks_off() {
    let server = run(|_| {}).await;
    let mut wire = server.connect().await;
    wire.get("/broken").await;
    let head = wire.answer().await.0;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let mut first = [0; 8];
    soon(wire.0.read_exact(&mut first)).await.unwrap();
    assert_eq!(&first, b"3\r\none\r\n");
    server.gate.go.add_permits(1);
    assert_eq!(wire.rest().await, "", "not even the last chunk");
}

#[tokio::test]
async fn http_2_needs_no_introduction() {
    let server = run(|options| options.idle_timeout = Duration::from_millis(300)).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let ask = async |path: &'static str| {
        let mut client = client.clone().ready().await.unwrap();
        let request = http::Request::get(format!("http://a{path}"))
            .body(())
            .unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let answer = soon(answer).await.unwrap();
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let mut whole = Vec::new();
        while let Some(chunk) = soon(body.data()).await {
            let chunk = chunk.unwrap();
            let _ = body.flow_control().release_capacity(chunk.len());
            whole.extend_from_slice(&chunk);
        }
        (status, String::from_utf8(whole).unwrap())
    };
    // The second gets its response while the first is held.
    let held = ask("/hold");
    let others = async {
        server.reached().await;
        assert_eq!(ask("/hello").await, (200, "hello".to_owned()));
        assert_eq!(ask("/none").await.0, 404);
        server.gate.go.add_permits(1);
    };
    let (held, ()) = futures_util::join!(held, others);
    assert_eq!(held, (200, "held".to_owned()));
    // An idle connection is closed with a clean shutdown.
    assert!(soon(connection).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_drain_finishes_running_requests_and_closes_the_rest() {
    let mut server = run(|_| {}).await;
    let mut idle = server.connect().await;
    idle.get("/hello").await;
    assert_eq!(status(&idle.answer().await.0), "200");
    let mut fresh = server.connect().await;
    let mut busy = server.connect().await;
    busy.get("/hold").await;
    server.reached().await;
    server.stop();
    // The shutdown does not wait for a client that sends no request.
    assert_eq!(idle.rest().await, "");
    assert_eq!(fresh.rest().await, "");
    assert!(server.service.drain().has_begun());
    assert!(
        Wire::open(server.address).await.is_err(),
        "it still listens"
    );
    assert!(!server.done.is_finished());
    server.gate.go.add_permits(1);
    let (head, body) = busy.answer().await;
    assert_eq!((status(&head), &*body), ("200", "held"));
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(busy.rest().await, "");
    assert_eq!(
        *server.stopped().await.lock().unwrap(),
        ["request", "application"]
    );
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let mut server = run(|options| options.drain_deadline = Duration::from_millis(50)).await;
    let mut busy = server.connect().await;
    busy.get("/hold").await;
    server.reached().await;
    server.stop();
    // It is closed without a response. Values of the request are released before those of the
    // application.
    assert_eq!(busy.rest().await, "");
    let released = Arc::clone(&server.released);
    assert_eq!(server.cut().await, 1);
    assert_eq!(*released.lock().unwrap(), ["request", "application"]);
}

#[tokio::test]
async fn during_the_delay_new_requests_are_still_answered() {
    let mut server = run(|options| options.drain_delay = Duration::from_millis(300)).await;
    server.stop();
    server.draining().await;
    let mut wire = server.connect().await;
    wire.get("/hello").await;
    assert_eq!(status(&wire.answer().await.0), "200");
    server.stopped().await;
}

#[tokio::test]
async fn an_address_in_use_is_named_with_a_remedy() {
    let server = run(|_| {}).await;
    let second = Server::bind(server.service.clone(), ServerOptions::new(server.address)).await;
    let message = second.unwrap_err().to_string();
    assert!(
        message.contains(&server.address.to_string()) && message.contains("choose another one"),
        "{message}"
    );
}
