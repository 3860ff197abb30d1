//! Headers of a handler and headers of every response.

use doyen::prelude::*;
use doyen::web::Body;
use http::Response;

use crate::kit::{Answer, get, get_with, send, service};

/// Answer with fields of its own.
#[get("/own", allow = anyone)]
async fn own() -> Response<Body> {
    Response::builder()
        .header("content-type", "text/csv")
        .header("x-content-type-options", "own")
        .header("cache-control", "public, max-age=60")
        .header("cache-control", "immutable")
        .header("content-security-policy", "default-src 'self'")
        .header("content-security-policy", "sandbox")
        .header("set-cookie", "a=1")
        .header("link", "</1>; rel=prev")
        .header("set-cookie", "b=2")
        .header("link", "</2>; rel=next")
        .header("set-cookie", "c=3")
        .header("vary", "Accept")
        .header("etag", "\"1\"")
        .header("x-request-id", "forged")
        .header("x-request-id", "twice")
        .header("x-own", "")
        .body(Body::whole("a,b"))
        .unwrap()
}

/// Answer with bytes and nothing else.
#[get("/bare", allow = anyone)]
async fn bare() -> Response<Body> {
    Response::new(Body::whole("bytes"))
}

/// Answer with a status that has no body.
#[get("/empty/{code}", allow = anyone)]
async fn empty(code: u16) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = code.try_into().unwrap();
    answer
}

fn all<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let values = answer.headers.get_all(name);
    values.iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_field_of_the_handler_wins_and_keeps_all_its_values_in_order() {
    let service = service(routes![own]);
    let answer = get_with(&service, "/own", &[("x-request-id", "mine")]).await;
    for (name, values) in [
        ("content-type", &["text/csv"][..]),
        ("x-content-type-options", &["own"]),
        ("cache-control", &["public, max-age=60", "immutable"]),
        (
            "content-security-policy",
            &["default-src 'self'", "sandbox"],
        ),
        ("set-cookie", &["a=1", "b=2", "c=3"]),
        ("link", &["</1>; rel=prev", "</2>; rel=next"]),
        ("vary", &["Accept"]),
        ("etag", &["\"1\""]),
        ("x-own", &[""]),
        ("referrer-policy", &["no-referrer"]),
        ("cross-origin-resource-policy", &["same-origin"]),
        // The id of the log and the trace, whatever the handler sets.
        ("x-request-id", &["mine"]),
    ] {
        assert_eq!(all(&answer, name), values, "{name}");
    }
    // A client with the current version gets the headers and no body.
    let known = get_with(&service, "/own", &[("if-none-match", "\"1\"")]).await;
    assert_eq!((known.status, known.text()), (304, ""));
    assert_eq!(all(&known, "set-cookie"), ["a=1", "b=2", "c=3"]);
    assert_eq!(
        all(&known, "cache-control"),
        ["public, max-age=60", "immutable"]
    );
}

#[tokio::test]
async fn default_headers_are_set_once_or_not_at_all() {
    let service = service(routes![bare, empty]);
    let paths = [
        "/bare",
        "/empty/200",
        "/empty/204",
        "/empty/304",
        "/empty/500",
    ];
    for path in paths {
        let answer = get(&service, path).await;
        answer.is_guarded();
        assert_eq!(answer.header("content-type"), None, "{path}: {answer:?}");
        for (name, value) in &answer.headers {
            assert!(!value.is_empty(), "{path}: {name} is empty");
            assert_eq!(all(&answer, name.as_str()).len(), 1, "{path}: {name}");
        }
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
    }
    // Nor a response to another method.
    let request = http::Request::head("/bare").body(Body::empty()).unwrap();
    let answer = send(&service, request).await;
    assert_eq!(answer.header("content-type"), None, "{answer:?}");
    assert_eq!(answer.header("content-length"), Some("5"));
}
