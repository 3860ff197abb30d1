//! Limits of a body, enforced before it is read.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Body, EdgeOptions, Service};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::server::{Running, run_built, soon, status};

/// A thing.
#[derive(Debug, Input)]
struct Thing {
    name: String,
}

/// Take JSON.
#[post("/json", allow = anyone, body_limit = 1000)]
async fn json(Json(thing): Json<Thing>) -> Text {
    Text(thing.name)
}

/// Take a form.
#[post("/form", allow = anyone, body_limit = 1000)]
async fn form(Form(thing): Form<Thing>) -> Text {
    Text(thing.name)
}

/// Take bytes.
#[post("/bytes", allow = anyone, body_limit = 1000)]
async fn raw(body: Bytes) -> Text {
    Text(body.len().to_string())
}

/// Take all of it.
#[post("/request", allow = anyone, body_limit = 1000)]
async fn request(request: http::Request<Body>) -> Text {
    match request.into_body().collect().await {
        Ok(whole) => Text(whole.to_bytes().len().to_string()),
        Err(_) => Text("broken off".into()),
    }
}

/// Take no body.
#[post("/none", allow = anyone)]
async fn none() -> Text {
    Text("none".into())
}

/// Take no body, from users.
#[post("/users", allow = signed_in)]
async fn users() -> Text {
    Text("users".into())
}

/// Take a body at leisure.
#[post("/part", allow = anyone)]
async fn part(request: http::Request<Body>) -> Text {
    let frame = request.into_body().frame().await;
    Text(frame.is_some_and(|frame| frame.is_ok()).to_string())
}

async fn serving() -> Running {
    let module = Module::new("t").routes(routes![json, form, raw, request, none, users, part]);
    run_built(Service::builder().module(module), |_| {}).await
}

/// The response to this head alone: no byte of a body is sent.
async fn head_alone(server: &Running, path: &str, fields: &str) -> (String, String) {
    let mut wire = server.connect().await;
    wire.send(&format!("POST {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n"))
        .await;
    wire.answer().await
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_unread() {
    let server = serving().await;
    for (path, kind) in [
        ("/json", "content-type: application/json\r\n"),
        (
            "/form",
            "content-type: application/x-www-form-urlencoded\r\n",
        ),
        ("/bytes", ""),
        ("/request", ""),
    ] {
        for length in ["1001", "1000000000000"] {
            for expect in ["", "expect: 100-continue\r\n", "Expect: 100-Continue\r\n"] {
                let fields = format!("{kind}{expect}content-length: {length}\r\n");
                let (head, body) = head_alone(&server, path, &fields).await;
                assert_eq!(status(&head), "413", "{path} {fields:?}");
                assert!(body.contains("body_too_large"), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_counted() {
    let server = serving().await;
    for (path, wanted, received) in [
        ("/bytes", "413", "body_too_large"),
        ("/request", "200", "broken off"),
    ] {
        let mut wire = server.connect().await;
        wire.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        ))
        .await;
        // It never ends: the response comes all the same.
        for _ in 0..11 {
            wire.send(&format!("64\r\n{}\r\n", "x".repeat(100))).await;
        }
        let (head, body) = wire.answer().await;
        assert_eq!(status(&head), wanted, "{path}");
        assert!(body.contains(received), "{path}: {body}");
    }
    let mut wire = server.connect().await;
    let body = "64\r\n".to_owned() + &"x".repeat(100) + "\r\n";
    let all = body.repeat(10) + "0\r\n\r\n";
    for path in ["/bytes", "/request"] {
        wire.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{all}"
        ))
        .await;
        assert_eq!(wire.answer().await.1, "1000", "{path}");
    }
}

#[tokio::test]
async fn a_client_that_still_sends_gets_the_refusal() {
    let server = serving().await;
    let mut wire = server.connect().await;
    wire.send("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 12582912\r\n\r\n")
        .await;
    // More than the buffers of both sides hold. The client sends all of it, and reads the response
    // only then.
    let sent = soon(wire.0.write_all(&vec![b'x'; 12 << 20])).await;
    assert!(sent.is_ok(), "{sent:?}");
    let mut all = Vec::new();
    // A clean shutdown: a reset could discard the response before the client has read it.
    let read = soon(tokio::io::AsyncReadExt::read_to_end(&mut wire.0, &mut all)).await;
    assert!(read.is_ok(), "{read:?}");
    let all = String::from_utf8(all).unwrap();
    assert_eq!(status(&all), "413");
    assert!(all.contains("body_too_large"), "{all}");
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let server = serving().await;
    // A megabyte that is within the limit while it is compressed.
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(br#"{"name": ""#).unwrap();
    packed.write_all(&vec![b'x'; 500_000]).unwrap();
    packed.write_all(br#""}"#).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1_000);
    for coding in [
        "content-encoding: gzip\r\n",
        "Content-Encoding: GZIP\r\n",
        "content-encoding: x-gzip\r\n",
        "content-encoding: deflate\r\n",
        "content-encoding: br\r\n",
        "content-encoding: zstd\r\n",
        "content-encoding: nonsense\r\n",
        "content-encoding: gzip, gzip\r\n",
        "content-encoding: identity, gzip\r\n",
        "content-encoding: identity\r\ncontent-encoding: gzip\r\n",
        "content-encoding: gzip\r\ncontent-encoding: gzip\r\n",
        "content-encoding: g\u{fc}zip\r\n",
        "content-encoding:\r\n",
    ] {
        for (path, kind) in [
            ("/json", "application/json"),
            ("/form", "application/x-www-form-urlencoded"),
        ] {
            let fields = format!(
                "content-type: {kind}\r\n{coding}content-length: {}\r\n",
                packed.len()
            );
            let (head, body) = head_alone(&server, path, &fields).await;
            assert_eq!(status(&head), "415", "{path} {coding:?} gave {body}");
            assert!(body.contains("unsupported_media_type"), "{body}");
        }
    }
    // A handler that takes bytes gets them unchanged.
    let mut wire = server.connect().await;
    let length = packed.len();
    wire.send(&format!("POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n")).await;
    wire.0.write_all(&packed).await.unwrap();
    assert_eq!(wire.answer().await.1, length.to_string());
}

/// When a body comes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arrival {
    WithTheHead,
    AfterTheHead,
    InPieces,
    AfterTheResponse,
}

/// Sends a request whose body is not read, and another one on the same connection. Returns whether
/// the first response announced the close.
async fn unread(
    server: &Running,
    target: (&str, &str),
    fields: &str,
    body: &str,
    arrival: Arrival,
) -> bool {
    let (path, wanted) = target;
    let shown = format!("{path} {fields:?} {arrival:?}");
    let mut wire = server.connect().await;
    wire.0.set_nodelay(true).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n");
    let mut first = None;
    match arrival {
        Arrival::WithTheHead => wire.send(&format!("{head}{body}")).await,
        Arrival::AfterTheHead => {
            wire.send(&head).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            wire.send(body).await;
        }
        Arrival::InPieces => {
            wire.send(&head).await;
            for at in 0..4 {
                tokio::time::sleep(Duration::from_millis(2)).await;
                wire.send(&body[body.len() * at / 4..body.len() * (at + 1) / 4])
                    .await;
            }
        }
        Arrival::AfterTheResponse => {
            wire.send(&head).await;
            first = Some(wire.answer().await);
            wire.send(body).await;
        }
    }
    // It may have been closed by now, as it announced.
    let _ = wire
        .0
        .write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    let (head, _) = match first {
        Some(first) => first,
        None => wire.answer().await,
    };
    assert_eq!(status(&head), wanted, "{shown}");
    let closes = head.contains("connection: close");
    if closes {
        assert_eq!(wire.rest().await, "", "{shown}");
    } else {
        assert_eq!(wire.answer().await.1, "hello", "{shown}");
    }
    closes
}

#[tokio::test]
async fn an_unread_body_is_discarded_or_the_close_is_announced() {
    let server = serving().await;
    let body = "x".repeat(1_500);
    let chunks = format!("5dc\r\n{body}\r\n0\r\n\r\n");
    let long = "x".repeat(3 << 20);
    for target in [
        ("/users", "401"),
        ("/nothing", "404"),
        ("/hello", "405"),
        ("/json", "415"),
        ("/bytes", "413"),
        ("/none?odd=1", "422"),
        ("/none", "200"),
    ] {
        for arrival in [
            Arrival::WithTheHead,
            Arrival::AfterTheHead,
            Arrival::InPieces,
            Arrival::AfterTheResponse,
        ] {
            let length = "content-length: 1500\r\n";
            assert!(
                !unread(&server, target, length, &body, arrival).await,
                "{target:?}"
            );
            let expect = format!("{length}expect: 100-continue\r\n");
            assert!(
                unread(&server, target, &expect, &body, arrival).await,
                "{target:?}"
            );
            if arrival == Arrival::AfterTheResponse && target.0 == "/bytes" {
                continue;
            }
            for expect in ["", "expect: 100-continue\r\n"] {
                let fields = format!("transfer-encoding: chunked\r\n{expect}");
                if expect.is_empty() || target.0 != "/bytes" {
                    assert!(
                        unread(&server, target, &fields, &chunks, arrival).await,
                        "{target:?}"
                    );
                }
            }
        }
        // More than is worth reading.
        let length = format!("content-length: {}\r\n", long.len());
        let arrival = Arrival::AfterTheHead;
        assert!(
            unread(&server, target, &length, &long, arrival).await,
            "{target:?}"
        );
    }
    // One that was read in part.
    let length = "content-length: 1500\r\n";
    assert!(!unread(&server, ("/part", "200"), length, &body, Arrival::InPieces).await);
}

#[tokio::test]
async fn an_unread_body_has_the_time_of_a_body() {
    let options = EdgeOptions {
        body_time: Duration::from_millis(300),
        ..EdgeOptions::default()
    };
    let service = Service::builder().options(options);
    let server = run_built(service, |_| {}).await;
    let mut wire = server.connect().await;
    wire.send("POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nx")
        .await;
    assert_eq!(status(&wire.answer().await.0), "404");
    // Far before the time of an idle connection.
    assert_eq!(wire.rest().await, "");
    // After the last request of a connection it has no time.
    let server = serving().await;
    for (version, fields) in [("1.1", "connection: close\r\n"), ("1.0", "")] {
        let mut wire = server.connect().await;
        wire.send(&format!(
            "POST /nothing HTTP/{version}\r\nhost: a\r\n{fields}content-length: 2\r\n\r\nx"
        ))
        .await;
        assert_eq!(status(&wire.rest().await), "404");
    }
}
