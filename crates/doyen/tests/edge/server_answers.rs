//! Headers of every response over a socket, including responses without a route or without a parsed
//! request.

use std::time::Duration;

use doyen::prelude::*;
use doyen::web::{EdgeOptions, HostName, Service};
use tokio::io::AsyncWriteExt as _;

use crate::server::{Running, run_built, status};

/// Say that it runs.
#[get("/livez", allow = anyone)]
async fn livez() -> Text {
    Text("alive".into())
}

/// Give nothing.
#[get("/empty", allow = anyone)]
async fn empty() -> NoContent {
    NoContent
}

/// Fail.
#[get("/panics", allow = anyone)]
async fn panics() -> NoContent {
    panic!("on purpose")
}

async fn serving() -> Running {
    let builder = Service::builder()
        .options(EdgeOptions {
            hosts: vec![HostName::parse("a").unwrap()],
            max_requests: 1,
            ..EdgeOptions::default()
        })
        .module(Module::new("t").routes(routes![livez, empty, panics]));
    run_built(builder, |options| {
        options.header_timeout = Duration::from_millis(500);
        options.max_connections = 2;
    })
    .await
}

/// Checks the security headers, and that no header names the server software.
fn is_guarded(answer: &str) {
    let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
    for line in [
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy: no-referrer",
        "cross-origin-resource-policy: same-origin",
        "permissions-policy: camera=(), geolocation=(), microphone=()",
        "cache-control: ",
        "x-request-id: ",
    ] {
        assert_eq!(head.matches(line).count(), 1, "{line} of {head}");
    }
    for name in [
        "\r\nserver:",
        "\r\nx-powered-by:",
        "\r\nvia:",
        "strict-transport-security",
        "interest-cohort",
        "hyper",
        "doyen",
    ] {
        assert!(!head.contains(name), "{name} in {head}");
    }
}

#[tokio::test]
async fn every_answer_is_guarded_and_names_no_program() {
    let server = serving().await;
    let long = "x".repeat(40_000);
    for (request, wanted) in [
        ("GET /hello HTTP/1.1\r\nhost: a\r\n", "200"),
        ("HEAD /hello HTTP/1.1\r\nhost: a\r\n", "200"),
        ("OPTIONS /hello HTTP/1.1\r\nhost: a\r\n", "204"),
        ("GET /empty HTTP/1.1\r\nhost: a\r\n", "204"),
        ("GET /nothing HTTP/1.1\r\nhost: a\r\n", "404"),
        ("DELETE /hello HTTP/1.1\r\nhost: a\r\n", "405"),
        ("GET /panics HTTP/1.1\r\nhost: a\r\n", "500"),
        ("GET /hello?x=1 HTTP/1.1\r\nhost: a\r\n", "422"),
        ("GET /hello HTTP/1.1\r\nhost: evil.test\r\n", "421"),
        ("GET /hello HTTP/1.1\r\n", "400"),
        ("OPTIONS * HTTP/1.1\r\nhost: a\r\n", "204"),
        (&format!("GET /{long} HTTP/1.1\r\nhost: a\r\n"), "414"),
        (
            &format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n"),
            "431",
        ),
        (
            "POST /few HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n",
            "413",
        ),
    ] {
        let mut wire = server.connect().await;
        let close = format!("{request}connection: close\r\n\r\n");
        let _ = wire.0.write_all(close.as_bytes()).await;
        let all = wire.rest().await;
        let shown = &request[..request.len().min(80)];
        assert_eq!(status(&all), wanted, "{shown:?} gave {all}");
        is_guarded(&all);
    }
    // Too late.
    let mut wire = server.connect().await;
    wire.send("GET / HTTP/1.1\r\nhos").await;
    let all = wire.rest().await;
    assert_eq!(status(&all), "408", "{all}");
    is_guarded(&all);
}

#[tokio::test]
async fn a_refused_connection_gets_the_security_headers_too() {
    let server = serving().await;
    let mut busy = server.connect().await;
    busy.get("/hold").await;
    server.reached().await;
    let mut shed = server.connect().await;
    shed.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (head, _) = shed.answer().await;
    assert_eq!(status(&head), "503");
    is_guarded(&head);
    // There is no permit for a third connection.
    let mut third = server.connect().await;
    let all = third.rest().await;
    assert_eq!(status(&all), "503");
    is_guarded(&all);
}
