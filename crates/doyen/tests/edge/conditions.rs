//! Conditional requests with a safe method (RFC 9110 section 13), as tables.

use doyen::prelude::*;
use doyen::web::{Body, Response, Service};
use http::Request;

use crate::kit::{Answer, send, service};

const TAG: &str = "\"a\"";
const WEAK: &str = "W/\"a\"";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

fn made(status: u16, tag: Option<&str>) -> Response {
    let mut response = http::Response::builder()
        .status(status)
        .header("content-type", "text/plain")
        .header("last-modified", SAME);
    if let Some(tag) = tag {
        response = response.header("etag", tag);
    }
    response.body(Body::whole("content")).unwrap()
}

#[get("/strong", allow = anyone)]
async fn strong() -> Response {
    made(200, Some(TAG))
}

#[get("/weak", allow = anyone)]
async fn weak() -> Response {
    made(200, Some(WEAK))
}

#[get("/dated", allow = anyone)]
async fn dated() -> Response {
    made(200, None)
}

#[get("/missing", allow = anyone)]
async fn missing() -> Response {
    made(404, Some(TAG))
}

#[post("/strong", allow = anyone)]
async fn post_strong() -> Response {
    made(200, Some(TAG))
}

fn all() -> Service {
    service(routes![strong, weak, dated, missing, post_strong])
}

async fn ask(method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    send(&all(), request.body(Body::empty()).unwrap()).await
}

async fn check(path: &str, table: &[(&[(&str, &str)], u16)]) {
    for (fields, status) in table {
        for method in ["GET", "HEAD"] {
            let answer = ask(method, path, fields).await;
            let label = format!("{method} {path} {fields:?}");
            assert_eq!(answer.status, *status, "{label}");
            match status {
                304 => {
                    assert!(answer.body.is_empty(), "{label}");
                    assert_eq!(answer.header("last-modified"), Some(SAME), "{label}");
                    assert!(answer.header("cache-control").is_some(), "{label}");
                    assert_eq!(answer.header("content-type"), None, "{label}");
                }
                412 if method == "GET" => answer.is_problem(412, "precondition_failed"),
                200 if method == "GET" => assert_eq!(answer.text(), "content", "{label}"),
                _ => {}
            }
        }
    }
}

const MATCH: &str = "if-match";
const NONE: &str = "if-none-match";
const SINCE: &str = "if-modified-since";
const UNMODIFIED: &str = "if-unmodified-since";

#[tokio::test]
async fn tags_of_a_strong_response() {
    check(
        "/strong",
        &[
            (&[], 200),
            // Section 13.1.2: weak comparison, lists, several fields.
            (&[(NONE, TAG)], 304),
            (&[(NONE, WEAK)], 304),
            (&[(NONE, "*")], 304),
            (&[(NONE, " \"x\" ,, W/\"a\",\"y\"")], 304),
            (&[(NONE, "\"x\""), (NONE, TAG)], 304),
            (&[(NONE, "\"x\", \"y\"")], 200),
            (&[(NONE, "a")], 200),
            (&[(NONE, "\"A\"")], 200),
            (&[(NONE, "")], 200),
            (&[(NONE, "\"a")], 200),
            // Section 13.1.1: strong comparison.
            (&[(MATCH, TAG)], 200),
            (&[(MATCH, "*")], 200),
            (&[(MATCH, "\"x\", \"a\"")], 200),
            (&[(MATCH, "\"x\""), (MATCH, TAG)], 200),
            (&[(MATCH, WEAK)], 412),
            (&[(MATCH, "\"x\"")], 412),
            (&[(MATCH, "")], 412),
        ],
    )
    .await;
}

#[tokio::test]
async fn tags_of_a_weak_response() {
    check(
        "/weak",
        &[
            (&[(NONE, WEAK)], 304),
            (&[(NONE, TAG)], 304),
            (&[(NONE, "\"x\"")], 200),
            (&[(MATCH, WEAK)], 412),
            (&[(MATCH, TAG)], 412),
            (&[(MATCH, "*")], 200),
        ],
    )
    .await;
}

#[tokio::test]
async fn dates() {
    for path in ["/strong", "/dated"] {
        check(
            path,
            &[
                (&[(SINCE, BEFORE)], 200),
                (&[(SINCE, SAME)], 304),
                (&[(SINCE, AFTER)], 304),
                (&[(UNMODIFIED, BEFORE)], 412),
                (&[(UNMODIFIED, SAME)], 200),
                (&[(UNMODIFIED, AFTER)], 200),
                // The two old forms (section 5.6.7).
                (&[(SINCE, "Sunday, 06-Nov-94 08:49:37 GMT")], 304),
                (&[(SINCE, "Sun Nov  6 08:49:37 1994")], 304),
                // What is no date counts as none.
                (&[(SINCE, "yesterday")], 200),
                (&[(SINCE, "")], 200),
                (&[(SINCE, SAME), (SINCE, SAME)], 200),
                (&[(UNMODIFIED, "784111776")], 200),
            ],
        )
        .await;
    }
}

/// Section 13.2.2.
#[tokio::test]
async fn precedence() {
    check(
        "/strong",
        &[
            // A tag takes precedence over a date.
            (&[(MATCH, TAG), (UNMODIFIED, BEFORE)], 200),
            (&[(MATCH, "\"x\""), (UNMODIFIED, AFTER)], 412),
            (&[(NONE, "\"x\""), (SINCE, AFTER)], 200),
            (&[(NONE, TAG), (SINCE, BEFORE)], 304),
            // A failed precondition takes precedence over a 304.
            (&[(MATCH, "\"x\""), (NONE, TAG)], 412),
            (&[(MATCH, TAG), (NONE, TAG)], 304),
            (&[(UNMODIFIED, BEFORE), (NONE, TAG)], 412),
            (&[(UNMODIFIED, SAME), (SINCE, SAME)], 304),
        ],
    )
    .await;
    check("/dated", &[(&[(NONE, TAG), (SINCE, SAME)], 200)]).await;
}

#[tokio::test]
async fn only_a_200_of_a_safe_method_is_compared() {
    for fields in [
        &[(NONE, TAG)][..],
        &[(NONE, "*")],
        &[(MATCH, "\"x\"")],
        &[(SINCE, AFTER)],
        &[(UNMODIFIED, BEFORE)],
    ] {
        assert_eq!(ask("GET", "/missing", fields).await.status, 404);
        assert_eq!(ask("GET", "/nowhere", fields).await.status, 404);
        // The handler decides, in the transaction of the change.
        assert_eq!(ask("POST", "/strong", fields).await.status, 200);
    }
}
