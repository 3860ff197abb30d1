//! Requests that two servers could parse differently, as raw bytes: one response, the connection is
//! closed, and the request behind it is never served.
//!
//! The request behind is the canary: a proxy in front that took it for a part of the first request
//! would not have applied its rules to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::Service;
use tokio::io::AsyncWriteExt as _;

use crate::kit::Value;
use crate::server::{Running, Wire, run_built, soon, status};

/// Number of calls that reached the handler.
#[derive(Default)]
struct Canary(AtomicUsize);

/// Sing.
#[get("/canary", allow = anyone)]
async fn canary(canary: Arc<Canary>) -> Text {
    canary.0.fetch_add(1, Ordering::SeqCst);
    Text("canary".into())
}

/// Take a body.
#[post("/take", allow = anyone)]
async fn take(body: Bytes) -> Text {
    Text(body.len().to_string())
}

struct EdgeApp {
    server: Running,
    canary: Arc<Canary>,
}

async fn app() -> EdgeApp {
    let canary_of = Arc::new(Canary::default());
    let given = Arc::clone(&canary_of);
    let module = Module::new("yard")
        .routes(routes![canary, take])
        .provide(given);
    let server = run_built(Service::builder().module(module), |_| {}).await;
    EdgeApp {
        server,
        canary: canary_of,
    }
}

const BEHIND: &str = "GET /canary HTTP/1.1\r\nhost: a\r\n\r\n";

impl EdgeApp {
    /// Returns all responses to these bytes with the canary behind them.
    async fn received(&self, bytes: &[u8]) -> String {
        let mut wire = self.server.connect().await;
        let mut all = bytes.to_vec();
        all.extend_from_slice(BEHIND.as_bytes());
        // The server may close before everything is written.
        let _ = wire.0.write_all(&all).await;
        wire.rest().await
    }

    /// Each is refused with this status and code, in one response that closes the connection.
    async fn refuses(&self, wanted: &str, code: &str, cases: &[&[u8]]) {
        for case in cases {
            let shown = String::from_utf8_lossy(&case[..case.len().min(200)]).into_owned();
            let all = self.received(case).await;
            assert_eq!(status(&all), wanted, "{shown:?} gave {all}");
            assert_eq!(answers(&all), 1, "{shown:?} gave {all}");
            let (head, body) = all.split_once("\r\n\r\n").unwrap();
            let head = head.to_lowercase();
            assert!(head.contains("connection: close"), "{shown:?} gave {all}");
            assert!(
                head.contains("application/problem+json") && head.contains("nosniff"),
                "{all}"
            );
            let problem: Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["code"], code, "{shown:?} gave {all}");
            assert_eq!(
                self.canary.0.load(Ordering::SeqCst),
                0,
                "{shown:?} let it out"
            );
        }
    }
}

/// A request with a body, with these lines in its head and these bytes behind it.
fn post(lines: &str, behind: &str) -> Vec<u8> {
    format!("POST /take HTTP/1.1\r\n{lines}\r\n{behind}").into_bytes()
}

/// A request for the canary itself, with these lines in its head.
fn get(lines: &[u8]) -> Vec<u8> {
    let mut all = b"GET /canary HTTP/1.1\r\n".to_vec();
    all.extend_from_slice(lines);
    all.extend_from_slice(b"\r\n");
    all
}

/// Number of responses to these bytes.
fn answers(all: &str) -> usize {
    all.matches("x-request-id: ").count()
}

fn slices(cases: &[Vec<u8>]) -> Vec<&[u8]> {
    cases.iter().map(Vec::as_slice).collect()
}

#[tokio::test]
async fn a_body_has_one_length() {
    let chunks = "0\r\n\r\n";
    let cases = [
        // Both.
        post("host: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n", chunks),
        post("host: a\r\nContent-Length: 5\r\nX: y\r\nTransfer-Encoding: chunked\r\n", chunks),
        // A transfer coding other than one `chunked`.
        post("host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", chunks),
        post("host: a\r\ntransfer-encoding: identity\r\ntransfer-encoding: chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: ,chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked,\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked, chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: gzip, chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked, identity\r\n", chunks),
        post("host: a\r\ntransfer-encoding: identity\r\n", chunks),
        post("host: a\r\ntransfer-encoding: xchunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding: chunked;q=1\r\n", chunks),
        post("host: a\r\ntransfer-encoding: \"chunked\"\r\n", chunks),
        post("host: a\r\ntransfer-encoding: \x0bchunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding:\r\n", chunks),
        post("host: a\r\ntransfer-encoding : chunked\r\n", chunks),
        post("host: a\r\n transfer-encoding: chunked\r\n", chunks),
        post("host: a\r\nx: y\r\n transfer-encoding: chunked\r\n", chunks),
        post("host: a\r\ntransfer-encoding\r\n : chunked\r\n", chunks),
        post("host: a\r\nx: y\rtransfer-encoding: chunked\r\n", chunks),
        post("host: a\r\nx: y\ntransfer-encoding: chunked\r\n", chunks),
        b"POST /take HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        b"POST /take HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        // A length that is not one number.
        post("host: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n", "a"),
        post("host: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n", "a"),
        post("host: a\r\ncontent-length: 5,5\r\n", "abcde"),
        post("host: a\r\ncontent-length: 5, 5\r\n", "abcde"),
        post("host: a\r\ncontent-length: +5\r\n", "abcde"),
        post("host: a\r\ncontent-length: -0\r\n", ""),
        post("host: a\r\ncontent-length: 0x5\r\n", "abcde"),
        post("host: a\r\ncontent-length: 5 5\r\n", "abcde"),
        post("host: a\r\ncontent-length: 5.0\r\n", "abcde"),
        post("host: a\r\ncontent-length: 1e1\r\n", "abcde"),
        post("host: a\r\ncontent-length: a\r\n", "abcde"),
        post("host: a\r\ncontent-length:\r\n", ""),
        post("host: a\r\ncontent-length: \u{663}\r\n", "abc"),
        post("host: a\r\ncontent-length: 18446744073709551615\r\n", "abc"),
        post("host: a\r\ncontent-length: 18446744073709551617\r\n", "a"),
        post("host: a\r\ncontent-length: 99999999999999999999999999999999999999\r\n", "a"),
    ];
    app()
        .await
        .refuses("400", "malformed_request", &slices(&cases))
        .await;
}

#[tokio::test]
async fn a_request_has_one_host() {
    let long = format!("host: {}\r\n", "a".repeat(300));
    let mut cases = vec![
        b"GET http://b/canary HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET http://a:80/canary HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET http://a/canary HTTP/1.1\r\n\r\n".to_vec(),
        b"GET http://user@a/canary HTTP/1.1\r\nhost: user@a\r\n\r\n".to_vec(),
        b"GET http:///canary HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET ftp://a/canary HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
    ];
    for lines in [
        "",
        "host: a\r\nhost: b\r\n",
        "host: a\r\nhost: a\r\n",
        "host: a\r\nHOST: b\r\n",
        "host:\r\n",
        "host: \r\n",
        "host: a b\r\n",
        "host: a,b\r\n",
        "host: a/canary\r\n",
        "host: a?x\r\n",
        "host: a#x\r\n",
        "host: user@a\r\n",
        "host: a:\r\n",
        "host: a:80:80\r\n",
        "host: a:99999\r\n",
        "host: a:-1\r\n",
        "host: [::1\r\n",
        "host: ::1\r\n",
        "host: a%00\r\n",
        "host: a\u{fc}\r\n",
        "host: <a>\r\n",
        "host: a\tb\r\n",
        &long,
    ] {
        cases.push(get(lines.as_bytes()));
    }
    app()
        .await
        .refuses("400", "malformed_request", &slices(&cases))
        .await;
}

#[tokio::test]
async fn lines_end_and_fields_begin_as_they_must() {
    let mut cases: Vec<Vec<u8>> = [
        // Line endings.
        &b"GET /canary HTTP/1.1\nhost: a\n\n"[..],
        b"GET /canary HTTP/1.1\r\nhost: a\n\r\n",
        b"GET /canary HTTP/1.1\r\nhost: a\r\n\n",
        b"GET /canary HTTP/1.1\nhost: a\r\n\r\n",
        b"GET /canary HTTP/1.1\rhost: a\r\r",
        b"\nGET /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"\r\n\r\nGET /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        // The request line.
        b" GET /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET  /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary  HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET\t/canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary\tHTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary HTTP/1.1 \r\nhost: a\r\n\r\n",
        b"GET /can ary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary\r\nhost: a\r\n\r\n",
        b"GET /canary\r\n\r\n",
        b"GET  HTTP/1.1\r\nhost: a\r\n\r\n",
        b"/canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"G(T /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary HTTP/1.2\r\nhost: a\r\n\r\n",
        b"GET /canary HTTP/2.0\r\nhost: a\r\n\r\n",
        b"GET /canary HTTP/0.9\r\nhost: a\r\n\r\n",
        b"GET /canary http/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary HTTP/1.1x\r\nhost: a\r\n\r\n",
        b"GET /canary ICY/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary\0 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary\x7f HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary\xc3\xbc HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /canary#x HTTP/1.1\r\nhost: a\r\n\r\n",
        // Targets of other methods.
        b"GET canary HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n",
        b"GET * HTTP/1.1\r\nhost: a\r\n\r\n",
        b"POST * HTTP/1.1\r\nhost: a\r\n\r\n",
        b"OPTIONS ** HTTP/1.1\r\nhost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n",
        b"CONNECT /canary HTTP/1.1\r\nhost: a\r\n\r\n",
        // Other protocols.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0",
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"{}",
    ]
    .iter()
    .map(|case| case.to_vec())
    .collect();
    for lines in [
        &b"host : a\r\n"[..],
        b"host\t: a\r\n",
        b" host: a\r\n",
        b"\thost: a\r\n",
        b"\r\nhost: a\r\n",
        b"host: a\r\nx: y\r\n z\r\n",
        b"host: a\r\nx: y\r\n\tz\r\n",
        b"host: a\r\nx\r\n",
        b"host: a\r\n: y\r\n",
        b"host: a\r\nx y: z\r\n",
        b"host: a\r\nx\x00: y\r\n",
        b"host: a\r\nx\xfc: y\r\n",
        b"host: a\r\nx(: y\r\n",
        b"host: a\r\nx: \0\r\n",
        b"host: a\r\nx: y\x01\r\n",
        b"host: a\r\nx: y\x0b\r\n",
        b"host: a\r\nx: y\x1b[31m\r\n",
        b"host: a\r\nx: y\x7f\r\n",
        b"host: a\r\nx: y\rz\r\n",
        b"host: a\r\nx: y\r\r\n",
        b"host: a\r\nx: \ty\x08\r\n",
        // Duplicates of single headers.
        b"host: a\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n",
        b"host: a\r\nAuthorization: Basic a\r\nauthorization: Bearer b\r\n",
        b"host: a\r\ncontent-type: text/plain\r\ncontent-type: application/json\r\n",
        b"host: a\r\nx-api-key: a\r\nX-API-Key: b\r\n",
    ] {
        if lines.starts_with(b"\r\n") {
            // An empty line is the end: the host is missing.
            assert!(
                app()
                    .await
                    .received(&get(lines))
                    .await
                    .starts_with("HTTP/1.1 400")
            );
            continue;
        }
        cases.push(get(lines));
    }
    app()
        .await
        .refuses("400", "malformed_request", &slices(&cases))
        .await;
}

#[tokio::test]
async fn an_oversized_head_is_refused_before_it_is_complete() {
    let app = app().await;
    let long = "x".repeat(40 << 10);
    let targets = [
        format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes(),
        format!("GET /{long}").into_bytes(),
    ];
    app.refuses("414", "uri_too_long", &slices(&targets)).await;
    let many = "x: y\r\n".repeat(101);
    let fields = [
        get(format!("host: a\r\nx: {long}\r\n").as_bytes()),
        get(format!(
            "host: a\r\n{}",
            format!("x: {}\r\n", "y".repeat(1_000)).repeat(40)
        )
        .as_bytes()),
        get(format!("host: a\r\n{many}").as_bytes()),
        format!("GET / HTTP/1.1\r\nx: {long}").into_bytes(),
    ];
    app.refuses("431", "headers_too_large", &slices(&fields))
        .await;
    // Shorter than the limit of a head, longer than that of a target: a regular response, and the
    // next request is served.
    let mut wire = app.server.connect().await;
    wire.get(&format!("/{}", "x".repeat(9_000))).await;
    assert_eq!(status(&wire.answer().await.0), "414");
    wire.get("/canary").await;
    assert_eq!(status(&wire.answer().await.0), "200");
}

#[tokio::test]
async fn chunks_are_framed_as_they_must_be() {
    let app = app().await;
    let long = "x".repeat(300);
    let trailers = "x: y\r\n".repeat(3_000);
    for body in [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\rX\nhello\r\n0\r\n\r\n",
        ";\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "-1\r\n\r\n",
        "ffffffffffffffff\r\nhello\r\n",
        "fffffffffffffffff5\r\nhello\r\n",
        "5;\nhello\r\n0\r\n\r\n",
        "5;a=\0\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;a=\r\nhello\r\n0\r\n\r\n",
        "5;a b\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b\r\nhello\r\n0\r\n\r\n",
        "0\r\n\n",
        "0\r\n\rX",
        "0\r\nbad trailer\r\n\r\n",
        "0\r\n folded: x\r\n\r\n",
        "0\r\nx: y\n\r\n",
        &format!("5;{long}\r\nhello\r\n0\r\n\r\n"),
        &format!("0\r\n{trailers}\r\n"),
    ] {
        let all = app
            .received(&post("host: a\r\ntransfer-encoding: chunked\r\n", body))
            .await;
        assert!(all.starts_with("HTTP/1.1 400"), "{body:?} gave {all}");
        assert!(all.contains("body_incomplete"), "{body:?} gave {all}");
        assert_eq!(answers(&all), 1, "{body:?} gave {all}");
    }
    // The same on a route that does not read the body.
    for body in [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\nhello\n0\n\n",
    ] {
        let head = "POST /nothing HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        let all = app.received(format!("{head}{body}").as_bytes()).await;
        assert!(all.starts_with("HTTP/1.1 404"), "{body:?} gave {all}");
        assert_eq!(answers(&all), 1, "{body:?} gave {all}");
    }
    assert_eq!(app.canary.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn unusual_but_unambiguous_requests_are_served() {
    let app = app().await;
    let chunked = "host: a\r\ntransfer-encoding: chunked\r\n";
    for (request, answer) in [
        (post("host: a\r\ncontent-length: 5\r\n", "hello"), "5"),
        (post("host: a\r\ncontent-length:   005  \r\n", "hello"), "5"),
        (post("host: a\r\ncontent-length: 0\r\n", ""), "0"),
        (post("host: a\r\n", ""), "0"),
        (
            post(
                "Host: A.example:8000\r\nTransfer-Encoding:\tCHUNKED\t\r\n",
                "5\r\nhello\r\n0\r\n\r\n",
            ),
            "5",
        ),
        (
            post(
                chunked,
                "5;ext=\"a b\"\r\nhello\r\nA\r\n0123456789\r\n000;last\r\n\r\n",
            ),
            "15",
        ),
        (
            post(
                chunked,
                "5\r\nhello\r\n0\r\nx-checksum: abc\r\ncontent-length: 99\r\nhost: b\r\n\r\n",
            ),
            "5",
        ),
        (
            b"\r\nPOST /take HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nab".to_vec(),
            "2",
        ),
        (
            b"POST http://a/take HTTP/1.1\r\nhost: A\r\ncontent-length: 2\r\n\r\nab".to_vec(),
            "2",
        ),
        (
            post(
                "host: [::1]:80\r\ncontent-length: 2\r\nx:\r\ny: a\tb\r\nz: \u{fc}\r\n",
                "ab",
            ),
            "2",
        ),
    ] {
        let shown = String::from_utf8_lossy(&request).into_owned();
        let mut wire = app.server.connect().await;
        wire.0.write_all(&request).await.unwrap();
        wire.send(BEHIND).await;
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("200", answer), "{shown:?}");
        assert_eq!(wire.answer().await.1, "canary", "{shown:?}");
        // And byte by byte.
        let mut wire = app.server.connect().await;
        for byte in request.iter().chain(BEHIND.as_bytes()) {
            wire.0.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(wire.answer().await.1, answer, "{shown:?}");
        assert_eq!(wire.answer().await.1, "canary", "{shown:?}");
    }
}

#[tokio::test]
async fn options_of_the_whole_server_have_no_content() {
    let app = app().await;
    let mut wire = app.server.connect().await;
    for _ in 0..2 {
        wire.send("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let (head, body) = wire.answer().await;
        assert_eq!((status(&head), &*body), ("204", ""));
        assert!(!head.contains("allow:"), "{head}");
    }
}

#[tokio::test]
async fn earlier_requests_are_answered_first() {
    let app = app().await;
    let mut wire = app.server.connect().await;
    wire.send(&format!(
        "{BEHIND}GET /a HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n{BEHIND}"
    ))
    .await;
    let all = wire.rest().await;
    assert_eq!(all.matches("HTTP/1.1 200").count(), 1, "{all}");
    assert_eq!(all.matches("HTTP/1.1 400").count(), 1, "{all}");
    assert!(
        all.find("canary").unwrap() < all.find("malformed_request").unwrap(),
        "{all}"
    );
    // The problem contains the path, as far as it was read.
    assert!(all.contains(r#""instance":"/a""#), "{all}");
    assert_eq!(app.canary.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_request_with_a_long_body_still_hears_why() {
    let app = app().await;
    let mut wire = app.server.connect().await;
    // Far more than all buffers hold: closing at once would reset the connection and lose the
    // response.
    let body = vec![b'x'; 8 << 20];
    let head = post(
        "host: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
        "",
    );
    let (mut from, mut to) = wire.0.split();
    let sends = async {
        to.write_all(&head).await.unwrap();
        let _ = to.write_all(&body).await;
    };
    let hears = async {
        let mut received = vec![0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut from, &mut received)
            .await
            .unwrap();
        received
    };
    let ((), received) = soon(async { futures_util::join!(sends, hears) }).await;
    assert_eq!(received, b"HTTP/1.1 400");
}

#[tokio::test]
async fn over_http_2_the_same_holds() {
    let app = app().await;
    let stream = tokio::net::TcpStream::connect(app.server.address)
        .await
        .unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for (uri, fields, wanted) in [
        ("http://a/canary", &[][..], 200),
        ("http://a/canary", &[("host", "a")], 200),
        ("http://a/canary", &[("host", "b")], 400),
        ("http://a/canary", &[("host", "a"), ("host", "b")], 400),
        ("http://user@a/canary", &[], 400),
        (
            "http://a/canary",
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            400,
        ),
        (
            "http://a/canary",
            &[("x-api-key", "a"), ("x-api-key", "b")],
            400,
        ),
        ("http://a/canary", &[("x", "y"); 101], 431),
    ] {
        let mut request = http::Request::get(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut client = client.clone().ready().await.unwrap();
        let (answer, _) = client
            .send_request(request.body(()).unwrap(), true)
            .unwrap();
        assert_eq!(
            soon(answer).await.unwrap().status(),
            wanted,
            "{uri} {fields:?}"
        );
    }
    assert_eq!(app.canary.0.load(Ordering::SeqCst), 2);
}

/// A literal field of HPACK without any table.
fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let length = |text: &[u8]| u8::try_from(text.len()).unwrap();
    let mut all = vec![0, length(name.as_bytes())];
    all.extend_from_slice(name.as_bytes());
    all.push(length(value));
    all.extend_from_slice(value);
    all
}

/// The end of a raw HTTP/2 stream: the type and the code of the first frame that ends it.
async fn ended(app: &EdgeApp, fields: &[(&str, &[u8])], data: Option<&[u8]>) -> (u8, u32) {
    ended_with(app, fields, data, &[]).await
}

/// The same for a stream with trailers.
async fn ended_with(
    app: &EdgeApp,
    fields: &[(&str, &[u8])],
    data: Option<&[u8]>,
    trailers: &[(&str, &[u8])],
) -> (u8, u32) {
    let mut wire: Wire = app.server.connect().await;
    let mut block: Vec<u8> = [
        (":method", &b"POST"[..]),
        (":scheme", b"http"),
        (":path", b"/take"),
        (":authority", b"a"),
    ]
    .iter()
    .chain(fields)
    .flat_map(|(name, value)| field(name, value))
    .collect();
    let frame = |kind: u8, flags: u8, stream: u8, payload: &mut Vec<u8>| {
        let mut all = vec![
            0,
            0,
            u8::try_from(payload.len()).unwrap(),
            kind,
            flags,
            0,
            0,
            0,
            stream,
        ];
        all.append(payload);
        all
    };
    let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    all.extend(frame(4, 0, 0, &mut Vec::new()));
    all.extend(frame(1, if data.is_some() { 4 } else { 5 }, 1, &mut block));
    if let Some(data) = data {
        let flags = u8::from(trailers.is_empty());
        all.extend(frame(0, flags, 1, &mut data.to_vec()));
    }
    if !trailers.is_empty() {
        let fields = trailers.iter().flat_map(|(name, value)| field(name, value));
        all.extend(frame(1, 5, 1, &mut fields.collect()));
    }
    wire.0.write_all(&all).await.unwrap();
    soon(async {
        loop {
            let mut head = [0; 9];
            tokio::io::AsyncReadExt::read_exact(&mut wire.0, &mut head)
                .await
                .unwrap();
            let length = usize::from(head[1]) << 8 | usize::from(head[2]);
            let mut payload = vec![0; length];
            tokio::io::AsyncReadExt::read_exact(&mut wire.0, &mut payload)
                .await
                .unwrap();
            let code = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
            match head[3] {
                3 => return (3, code(0)),
                7 => return (7, code(4)),
                // A response on the stream.
                1 => return (1, 0),
                _ => {}
            }
        }
    })
    .await
}

#[tokio::test]
async fn http_2_ends_a_stream_that_is_not_well_formed() {
    const ENDS: [u8; 2] = [3, 7];
    const PROTOCOL_ERROR: u32 = 1;
    let app = app().await;
    assert_eq!(ended(&app, &[], None).await.0, 1);
    for (name, value) in [
        ("connection", &b"close"[..]),
        ("transfer-encoding", b"chunked"),
        ("upgrade", b"h2c"),
        ("keep-alive", b"timeout=5"),
        ("proxy-connection", b"close"),
        ("te", b"gzip"),
        ("x", b"a\r\nb: c"),
        ("x", b"a\nb"),
        ("x", b"a\0b"),
        ("x", b" a"),
        ("x", b"a "),
        ("x", b"\ta"),
        ("x", b"a\t"),
        ("Upper", b"a"),
        (":path", b"/canary"),
        (":unknown", b"a"),
    ] {
        let end = ended(&app, &[(name, value)], None).await;
        // Malformed fields end the connection, other errors only the stream.
        assert!(
            ENDS.contains(&end.0) && end.1 == PROTOCOL_ERROR,
            "{name}: {value:?} gave {end:?}"
        );
    }
    // A length that differs from the data.
    for (length, data) in [(&b"3"[..], &b"abcd"[..]), (b"5", b"abcd"), (b"+4", b"abcd")] {
        let end = ended(&app, &[("content-length", length)], Some(data)).await;
        assert_eq!(end, (3, PROTOCOL_ERROR), "{length:?}");
    }
    assert_eq!(app.canary.0.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn http_2_ends_a_stream_with_a_fragment_or_a_pseudo_header_in_its_trailers() {
    const PROTOCOL_ERROR: u32 = 1;
    let app = app().await;
    let trailers: [(&str, &[u8]); 2] = [("x", b"#"), (":path", b"/take")];
    let ends = |count: usize| ended_with(&app, &[], Some(b"abc"), &trailers[..count]);
    assert_eq!(ends(1).await.0, 1);
    // A pseudo-header behind another, and alone.
    assert_eq!(ends(2).await, (3, PROTOCOL_ERROR));
    let alone = ended_with(&app, &[], Some(b"abc"), &trailers[1..]).await;
    assert_eq!(alone, (3, PROTOCOL_ERROR));
    // The stream alone: the connection goes on. A library encodes the fields in its way.
    let stream = tokio::net::TcpStream::connect(app.server.address)
        .await
        .unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let path = |path: &'static str| {
        let client = client.clone();
        async move {
            let mut client = client.ready().await.unwrap();
            let request = http::Request::get("http://a/").body(()).unwrap();
            let (mut head, ()) = request.into_parts();
            head.uri = path.parse().unwrap();
            let request = http::Request::from_parts(head, ());
            soon(client.send_request(request, true).unwrap().0).await
        }
    };
    for _ in 0..2 {
        assert_eq!(path("http://a/hello").await.unwrap().status(), 200);
        assert_eq!(path("http://a/hello?a%23b").await.unwrap().status(), 422);
    }
    let mut wire = app.server.connect().await;
    let block = |path: &str| {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "a"),
        ];
        let fields = fields
            .iter()
            .flat_map(|(name, value)| field(name, value.as_bytes()));
        fields.collect::<Vec<u8>>()
    };
    let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for (stream, path) in [
        (1, "/hello#a"),
        (3, "/hello"),
        (5, "/hello?#"),
        (7, "/hello"),
    ] {
        all.extend(crate::http2::frame(1, 5, stream, &block(path)));
    }
    wire.0.write_all(&all).await.unwrap();
    let mut ends = std::collections::BTreeMap::new();
    while ends.len() < 4 {
        let mut head = [0; 9];
        let read = tokio::io::AsyncReadExt::read_exact(&mut wire.0, &mut head);
        soon(read).await.unwrap();
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        let read = tokio::io::AsyncReadExt::read_exact(&mut wire.0, &mut payload);
        soon(read).await.unwrap();
        assert_ne!(head[3], 7, "GOAWAY");
        if matches!(head[3], 1 | 3) {
            ends.insert(head[8], (head[3], payload[payload.len() - 1]));
        }
    }
    for (stream, (kind, code)) in ends {
        let is_reset = kind == 3 && code == 1;
        assert_eq!(is_reset, matches!(stream, 1 | 5), "{stream}: {kind} {code}");
    }
}
