//! An overloaded server refuses excess requests at once, and only those.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Cidr, ConcurrencyClass, EdgeOptions, Service, StartError, TrustedProxies};
use tokio::net::TcpSocket;

use crate::kit::Value;
use crate::server::{Gate, Running, Wire, run_built, soon, status};

/// Say that it runs.
#[get("/livez", allow = anyone)]
async fn livez() -> Text {
    Text("alive".into())
}

/// Take a body.
#[post("/take", allow = anyone)]
async fn take(body: Bytes) -> Text {
    Text(body.len().to_string())
}

/// Say a little, then nothing for long.
#[get("/stream", allow = anyone)]
async fn stream() -> Stream<doyen::web::response::PlainText> {
    let first = futures_util::stream::once(async { Ok::<_, std::io::Error>(Bytes::from("one")) });
    let rest = futures_util::stream::pending();
    Stream::new(futures_util::StreamExt::chain(first, rest))
}

/// One search at once; the next one does not wait.
const SEARCH: ConcurrencyClass = class("search", 1).wait(Duration::ZERO);

/// What to list.
#[derive(Input)]
struct Filter {
    /// Text to find.
    q: Option<String>,
}

/// List things, or search them until the test lets go.
#[get("/things", allow = anyone, concurrency = SEARCH.with_query("q"))]
async fn things(gate: Arc<Gate>, Query(filter): Query<Filter>) -> Text {
    if filter.q.is_some() {
        gate.reached.add_permits(1);
        gate.go.acquire().await.unwrap().forget();
    }
    Text("things".into())
}

/// Search people.
#[get("/people", allow = anyone, concurrency = SEARCH)]
async fn people() -> Text {
    Text("people".into())
}

async fn serving(max_requests: usize) -> Running {
    let builder = Service::builder()
        .options(EdgeOptions {
            max_requests,
            ..EdgeOptions::default()
        })
        .module(Module::new("shed").routes(routes![livez, take, stream, things, people]));
    run_built(builder, |_| {}).await
}

/// Sends a request on a new connection and returns head and body of the response.
pub(crate) async fn ask(server: &Running, path: &str) -> (String, String) {
    let mut wire = server.connect().await;
    wire.get(path).await;
    wire.answer().await
}

/// Holds this number of requests in a handler.
async fn held(server: &Running, many: usize) -> Vec<Wire> {
    let mut all = Vec::new();
    for _ in 0..many {
        let mut wire = server.connect().await;
        wire.get("/hold").await;
        server.reached().await;
        all.push(wire);
    }
    all
}

#[tokio::test]
async fn one_request_too_many_gets_a_retry_time() {
    let server = serving(4).await;
    let held = held(&server, 4).await;
    for path in ["/hello", "/hold", "/nothing"] {
        let (head, body) = ask(&server, path).await;
        assert_eq!(status(&head), "503", "{path}");
        assert!(
            head.contains("retry-after: 1\r\n") && head.contains("application/problem+json"),
            "{head}"
        );
        // The connection stays usable.
        assert!(!head.contains("connection: close"), "{head}");
        let problem: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["code"], "overloaded");
    }
    // Health checks are served.
    assert_eq!(status(&ask(&server, "/livez").await.0), "200");
    server.gate.go.add_permits(4);
    for mut wire in held {
        assert_eq!(wire.answer().await.1, "held");
    }
    // All recover.
    for _ in 0..10 {
        assert_eq!(status(&ask(&server, "/hello").await.0), "200");
    }
}

/// A full class refuses its own requests only, whichever route they are for and however the
/// parameter is written.
#[tokio::test]
async fn a_full_class_leaves_room_for_other_requests() {
    let server = serving(100).await;
    let mut search = server.connect().await;
    search.get("/things?q=a").await;
    server.reached().await;
    for path in ["/things", "/hello"] {
        assert_eq!(status(&ask(&server, path).await.0), "200", "{path}");
    }
    for path in ["/things?q=b", "/things?%71=b", "/people"] {
        let (head, body) = ask(&server, path).await;
        assert_eq!(status(&head), "503", "{path}");
        assert!(head.contains("retry-after: 1\r\n"), "{head}");
        assert!(body.contains("\"overloaded\""), "{body}");
    }
    server.gate.go.add_permits(1);
    assert_eq!(search.answer().await.1, "things");
    assert_eq!(ask(&server, "/people").await.1, "people");
}

#[test]
fn a_class_must_be_declared_alike_everywhere() {
    let other = Route::get("/other")
        .allow(anyone)
        .name("other")
        .concurrency(class("search", 2))
        .handler(people);
    let built = Service::builder()
        .module(Module::new("shed").routes(routes![people]))
        .module(Module::new("more").routes(doyen::web::Routes::new(vec![other])))
        .build();
    let errors = built.err().unwrap();
    assert!(matches!(errors[..], [StartError::Class(..)]), "{errors:?}");
    assert!(errors[0].to_string().contains("`search`"), "{errors:?}");
}

#[tokio::test]
async fn over_http_2_streams_count_one_by_one() {
    let server = serving(2).await;
    let _held = held(&server, 2).await;
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (path, wanted) in [("/hello", 503), ("/livez", 200), ("/hello", 503)] {
        let mut client = client.clone().ready().await.unwrap();
        let request = http::Request::get(format!("http://a{path}"))
            .body(())
            .unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        assert_eq!(soon(answer).await.unwrap().status(), wanted, "{path}");
    }
}

#[tokio::test]
async fn a_disconnected_client_releases_its_permit() {
    let server = serving(1).await;
    let gone = held(&server, 1).await;
    assert_eq!(status(&ask(&server, "/hello").await.0), "503");
    drop(gone);
    soon(async {
        while status(&ask(&server, "/hello").await.0) != "200" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_body_does_not_block_other_clients() {
    let server = serving(2).await;
    let mut slow = Vec::new();
    for _ in 0..10 {
        let mut wire = server.connect().await;
        wire.send("POST /take HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab")
            .await;
        slow.push(wire);
    }
    for _ in 0..3 {
        assert_eq!(status(&ask(&server, "/hello").await.0), "200");
    }
    // Their bodies are read when they arrive.
    for wire in &mut slow {
        wire.send("cd").await;
        assert_eq!(wire.answer().await.1, "4");
    }
    assert_eq!(status(&ask(&server, "/hello").await.0), "200");
}

#[tokio::test]
async fn sending_a_response_holds_no_permit() {
    let server = serving(1).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut wire = server.connect().await;
        wire.get("/stream").await;
        assert_eq!(status(&wire.answer().await.0), "200");
        streams.push(wire);
    }
    assert_eq!(status(&ask(&server, "/hello").await.0), "200");
}

/// A connection from this address of the loopback network.
async fn from(server: &Running, last: u8) -> Wire {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    Wire(soon(socket.connect(server.address)).await.unwrap())
}

#[tokio::test]
async fn one_client_cannot_take_every_permit() {
    let server = run_built(Service::builder(), |options| {
        options.max_connections = 100;
        options.max_connections_per_client = 3;
    })
    .await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        let mut wire = from(&server, 2).await;
        wire.get("/hello").await;
        assert_eq!(status(&wire.answer().await.0), "200");
        mine.push(wire);
    }
    let mut fourth = from(&server, 2).await;
    fourth.get("/hello").await;
    let (head, body) = fourth.answer().await;
    assert_eq!(status(&head), "503");
    assert!(
        head.contains("retry-after: 1") && body.contains("overloaded"),
        "{head}"
    );
    // Others are served.
    let mut other = from(&server, 3).await;
    other.get("/hello").await;
    assert_eq!(status(&other.answer().await.0), "200");
    // And so is this one after one of its own has gone.
    mine.pop();
    soon(async {
        loop {
            let mut wire = from(&server, 2).await;
            wire.get("/hello").await;
            if status(&wire.answer().await.0) == "200" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_trusted_proxy_may_take_every_permit() {
    let networks = vec![Cidr::parse("127.0.0.2").unwrap()];
    let builder = Service::builder().options(EdgeOptions {
        proxies: TrustedProxies::new(networks, Default::default()).unwrap(),
        ..EdgeOptions::default()
    });
    let server = run_built(builder, |options| options.max_connections_per_client = 1).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        let mut wire = from(&server, 2).await;
        wire.get("/hello").await;
        assert_eq!(status(&wire.answer().await.0), "200");
        all.push(wire);
    }
}
