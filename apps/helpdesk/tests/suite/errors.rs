//! Every error is a problem (RFC 9457) with an id that finds it in the log. The response does not
//! contain the cause.

use serde_json::json;

use crate::support::faults::Faulty;
use crate::support::{Helpdesk, Join as _};

#[doyen_test::test(sqlite)]
async fn the_router_returns_problems_too(app: Helpdesk) {
    let nothing = app
        .get("/v1/nothing")
        .send()
        .await
        .expect_problem(404, "not_found");
    assert_eq!(nothing.problem()["instance"], "/v1/nothing");
    app.get("/v1/tickets/").send().await.expect(404);
    app.get("/V1/tickets").send().await.expect(404);
    let other = app
        .put("/v1/tickets")
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
    assert_eq!(other.header("allow"), Some("POST, GET, HEAD, OPTIONS"));
    app.request("BREW", "/v1/tickets")
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
    app.get(format!("/v1/tickets?q={}", "x".repeat(9000)))
        .send()
        .await
        .expect_problem(414, "uri_too_long");
    let ann = app.as_customer().await;
    ann.get("/v1/tickets/%ff")
        .send()
        .await
        .expect_problem(400, "malformed_path");
    let broken = ann
        .get("/v1/tickets/%zz")
        .send()
        .await
        .expect_problem(400, "malformed_path");
    assert_eq!(broken.problem()["instance"], "/v1/tickets/%25zz");
}

#[doyen_test::test(sqlite)]
async fn head_is_get_without_a_body(app: Helpdesk) {
    for path in ["/livez", "/openapi.json", "/v1/nothing", "/v1/tickets"] {
        let (get, head) = (app.get(path).send().await, app.head(path).send().await);
        assert_eq!(head.status(), get.status(), "{path}");
        assert!(head.bytes().is_empty(), "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
        assert_eq!(
            head.header("content-length"),
            Some(get.bytes().len().to_string().as_str()),
            "{path}"
        );
    }
}

#[doyen_test::test(sqlite)]
async fn options_lists_the_methods(app: Helpdesk) {
    let answer = app.options("/v1/tickets/tkt_1").send().await.expect(204);
    let allow = answer.header("allow").unwrap().to_owned();
    for method in ["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"] {
        assert!(allow.split(", ").any(|known| known == method), "{allow}");
    }
    app.options("/v1/nothing")
        .send()
        .await
        .expect_problem(404, "not_found");
}

#[doyen_test::test(sqlite)]
async fn a_valid_request_id_is_kept_and_an_invalid_one_replaced(app: Helpdesk) {
    let ask = async |id: &str| {
        app.get("/v1/nothing")
            .header("x-request-id", id)
            .send()
            .await
            .expect(404)
    };
    for fit in ["a", "4f1c-7.z_Q", &"x".repeat(64)] {
        let answer = ask(fit).await;
        assert_eq!(
            (
                answer.header("x-request-id"),
                &answer.problem()["request_id"]
            ),
            (Some(fit), &json!(fit))
        );
    }
    for unfit in ["", "two words", "a,b", "x\"}", &"x".repeat(65), "\u{fc}"] {
        let answer = ask(unfit).await;
        assert_ne!(answer.header("x-request-id"), Some(unfit));
    }
    let ids: std::collections::BTreeSet<String> = app
        .log()
        .iter()
        .map(|line| line["request_id"].to_string())
        .collect();
    assert_eq!(
        ids.len(),
        app.log().len(),
        "each request has an id of its own"
    );
}

/// A 500 gives the client an id only; the log has the id and the chain of causes, in one line.
#[doyen_test::test]
async fn a_fault_is_in_the_log_only(app: Faulty) {
    let app = app.ready().await;
    for (path, cause) in [
        ("/faults/panics", "on purpose: s3cret"),
        ("/faults/causes", "nowhere"),
    ] {
        let before = app.log().len();
        let answer = app.get(path).send().await.expect_problem(500, "internal");
        // What the test kit shows of the answer has the causes, which the client does not get.
        let shown = answer.to_string();
        let sent = shown.split("\ncause: ").next().unwrap();
        for word in ["s3cret", "nowhere", "panick", "database", "SQL", ".rs"] {
            assert!(!sent.contains(word), "`{word}` leaks\n\n{answer}");
        }
        let log = app.log().split_off(before);
        assert_eq!(log.len(), 1, "{log:?}");
        assert_eq!(
            (
                log[0]["status"].as_u64(),
                log[0]["level"].as_str(),
                log[0]["problem"].as_str()
            ),
            (Some(500), Some("error"), Some("internal"))
        );
        assert_eq!(log[0]["request_id"], answer.problem()["request_id"]);
        assert!(log[0]["cause"].to_string().contains(cause), "{}", log[0]);
    }
    // The next request is not affected.
    app.post("/faults/keeps").send().await.expect(204);
}

#[doyen_test::test]
async fn a_request_that_takes_too_long_is_cancelled(app: Faulty) {
    let app = app.ready().await;
    let answer = app
        .post("/faults/waits")
        .send()
        .await
        .expect_problem(503, "timeout");
    assert!(answer.header("retry-after").is_some(), "{answer}");
    assert_eq!(app.rows().await, 0);
    app.rests().await;
}

/// The page that the `type` of a problem links to exists, for every problem in the document.
#[doyen_test::test(sqlite)]
async fn every_problem_has_its_page(app: Helpdesk) {
    for problem in app.service().catalogue() {
        let page = app
            .get(format!("/problems/{}", problem.code))
            .send()
            .await
            .expect(200);
        assert!(
            page.text().contains(problem.code) && page.text().contains(problem.title),
            "{page}"
        );
    }
    app.get("/problems/no_such_thing")
        .send()
        .await
        .expect_problem(404, "not_found");
}

/// No response can be stored by a cache that must not, or sniffed as another type by a browser.
#[doyen_test::test(sqlite)]
async fn every_answer_has_its_security_headers(app: Helpdesk) {
    let ann = app.as_customer().await;
    for answer in [
        app.get("/livez").send().await,
        app.get("/v1/nothing").send().await,
        app.get("/v1/tickets").send().await,
        ann.get("/v1/tickets").send().await,
        ann.opens("printer").await,
    ] {
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{answer}"
        );
        assert!(
            answer
                .header("content-security-policy")
                .is_some_and(|policy| policy.contains("default-src 'none'")),
            "{answer}"
        );
        let cache = answer.header("cache-control").unwrap();
        assert!(
            ["no-store", "no-cache", "private, no-cache"].contains(&cache),
            "{answer}"
        );
        if answer.status() >= 400 {
            assert_eq!(cache, "no-store", "{answer}");
        }
    }
    assert_eq!(
        ann.get("/v1/tickets").send().await.header("vary"),
        Some("API-Version, Authorization, X-API-Key")
    );
}

/// On a socket: a malformed request is refused, and the server continues.
#[doyen_test::test(sqlite)]
async fn malformed_requests_do_not_break_the_server(app: Helpdesk) {
    let live = app.serve().await;
    for (bytes, status) in [
        ("NONSENSE\r\n\r\n", "400"),
        ("GET / HTTP/9.9\r\n\r\n", "400"),
        (
            "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            "400",
        ),
        (
            "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "400",
        ),
        (
            "GET /livez HTTP/1.1\r\nHost: x\r\nBad Name: y\r\n\r\n",
            "400",
        ),
        ("GET /livez HTTP/1.1\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        (
            "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
    ] {
        let answer = live.exchange(bytes).await;
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{bytes:?}\n{answer}"
        );
    }
    // A second request, hidden in the body of the first for one of two parsers, is never served.
    let hidden = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let answer = live
        .exchange(format!("POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"))
        .await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
    let answer = live
        .exchange("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
