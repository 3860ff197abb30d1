//! `docs/guide/porting.md`, the errors of FastAPI.

use doyen::schema::{ProblemFormat as _, ProblemView};
use serde_json::{Value, json};

use super::{of, subject};

subject!(Kitchen, docs_src::envelope::app());

impl Kitchen {
    async fn brew(&self, body: Value) -> doyen_test::Answer {
        self.post("/brew").json(&body).send().await
    }
}

#[doyen_test::test(sqlite)]
async fn validation_errors_are_those_of_fastapi(app: Kitchen) {
    let wrong = app.brew(json!({"what": "", "cups": 10})).await.expect(422);
    assert_eq!(wrong.header("content-type"), Some("application/json"));
    assert_eq!(
        wrong.json(),
        json!({"detail": [
            {"type": "string_too_short", "loc": ["body", "what"], "msg": "String should have at least 3 characters"},
            {"type": "less_than_equal", "loc": ["body", "cups"], "msg": "Input should be less than or equal to 9"},
        ]})
    );
    let long = app
        .brew(json!({"what": "hot chocolate", "cups": "many"}))
        .await
        .expect(422);
    assert_eq!(
        long.json(),
        json!({"detail": [
            {"type": "string_too_long", "loc": ["body", "what"], "msg": "String should have at most 10 characters"},
            {"type": "int_type", "loc": ["body", "cups"], "msg": "Input should be a valid integer"},
        ]})
    );
    let missing = app.brew(json!({"what": "tea"})).await.expect(422);
    assert_eq!(
        missing.json(),
        json!({"detail": [{"type": "missing", "loc": ["body", "cups"], "msg": "Field required"}]})
    );
    let path = app.get("/broken/x").send().await.expect(422);
    assert_eq!(
        path.json(),
        json!({"detail": [{"type": "int_parsing", "loc": ["path", "number"], "msg": "Input should be a valid integer, unable to parse string as an integer"}]})
    );
}

#[doyen_test::test(sqlite)]
async fn every_other_error_has_the_format_too(app: Kitchen) {
    let nowhere = app
        .get("/nowhere")
        .send()
        .await
        .expect_problem(404, "not_found");
    assert_eq!(nowhere.json(), json!({"detail": "Not Found"}));
    let method = app
        .delete("/brew")
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
    assert_eq!(method.json(), json!({"detail": "Method Not Allowed"}));
    assert_eq!(method.header("allow"), Some("POST, OPTIONS"));
    let media = app
        .post("/brew")
        .body("text/plain", "tea")
        .send()
        .await
        .expect(415);
    assert!(media.at("/detail").is_string());
    let panic = app
        .get("/broken/7")
        .send()
        .await
        .expect_problem(500, "internal");
    assert_eq!(panic.json(), json!({"detail": "Internal Server Error"}));
    assert!(panic.causes()[0].contains("an unlucky number"), "{panic}");
    assert!(panic.to_string().contains("cause: panicked"), "{panic}");
    let long = app
        .get(format!("/{}", "a".repeat(20_000)))
        .send()
        .await
        .expect(414);
    assert!(long.at("/detail").is_string());
}

#[doyen_test::test(sqlite)]
async fn errors_before_the_router_have_the_format(app: Kitchen) {
    let server = app.serve().await;
    let malformed = server
        .exchange("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n")
        .await;
    assert!(malformed.starts_with("HTTP/1.1 400"), "{malformed}");
    assert!(
        malformed.contains("\r\ncontent-type: application/json\r\n"),
        "{malformed}"
    );
    let (_, body) = malformed.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["detail"].is_string(), "{body}");
    let large = format!(
        "GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\nconnection: close\r\n\r\n",
        "a".repeat(100_000)
    );
    let large = server.exchange(large).await;
    assert!(large.starts_with("HTTP/1.1 431"), "{large}");
    assert!(large.contains("{\"detail\":\""), "{large}");
}

#[doyen_test::test(sqlite)]
async fn a_problem_has_its_own_status_header_and_members(app: Kitchen) {
    let teapot = app
        .brew(json!({"what": "coffee", "cups": 1}))
        .await
        .expect_problem(418, "teapot");
    assert_eq!(teapot.json(), json!({"detail": "Teapot"}));
    let busy = app
        .brew(json!({"what": "matcha", "cups": 2}))
        .await
        .expect_problem(409, "busy");
    assert_eq!(busy.header("x-pot"), Some("green"));
    assert_eq!(
        busy.json(),
        json!({"detail": "2 cups are brewing", "cups": 2})
    );
}

#[doyen_test::test(sqlite)]
async fn the_document_has_the_format(app: Kitchen) {
    let document = app.document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert!(schemas.contains_key("HTTPValidationError"));
    assert!(!schemas.contains_key("Problem"));
    let responses = &document["paths"]["/brew"]["post"]["responses"];
    let schema = |status: &str| responses[status]["content"]["application/json"]["schema"].clone();
    assert_eq!(
        schema("422"),
        json!({"$ref": "#/components/schemas/HTTPValidationError"})
    );
    assert_eq!(
        schema("418"),
        json!({"$ref": "#/components/schemas/HTTPError"})
    );
    assert_eq!(
        responses["409"]["headers"]["X-Pot"]["description"],
        "Name of the pot."
    );
}

/// Routes whose errors come from the edge.
mod edge {
    use doyen::prelude::*;

    /// Take a turn
    #[post("/turns", allow = anyone, limit = per_client(1, MINUTE))]
    async fn turn() -> NoContent {
        NoContent
    }

    /// Wait forever
    #[post("/wait", allow = anyone, timeout = std::time::Duration::from_millis(20))]
    async fn wait() -> NoContent {
        std::future::pending().await
    }

    pub(super) fn module() -> Module {
        Module::new("edge").routes(routes![turn, wait])
    }
}

subject!(
    BusyKitchen,
    docs_src::envelope::app().module(edge::module())
);

#[doyen_test::test(sqlite)]
async fn limits_and_timeouts_have_the_format(app: BusyKitchen) {
    app.post("/turns").send().await.expect(204);
    let limited = app.post("/turns").send().await;
    let limited = limited.expect_problem(429, "quota_exceeded");
    assert_eq!(limited.header("content-type"), Some("application/json"));
    assert_eq!(
        limited.json(),
        json!({
            "detail": "Too many requests. Try again in 60 seconds.",
            "violated-policies": ["client"],
        })
    );
    assert_eq!(limited.header("retry-after"), Some("60"));
    assert!(limited.header("ratelimit").is_some(), "{limited}");
    let late = app.post("/wait").send().await;
    let late = late.expect_problem(503, "timeout");
    assert_eq!(late.header("content-type"), Some("application/json"));
    assert_eq!(late.json(), json!({"detail": "Timeout"}));
    assert_eq!(late.header("retry-after"), Some("1"));
    let post = |path: &str| app.document()["paths"][path]["post"]["responses"].clone();
    for (responses, status) in [(post("/turns"), "429"), (post("/wait"), "503")] {
        assert_eq!(
            responses[status]["content"]["application/json"]["schema"],
            json!({"$ref": "#/components/schemas/HTTPError"})
        );
    }
}

/// An error as one sentence.
#[derive(doyen::schema::Output)]
struct Sentence {
    /// What is wrong.
    message: String,
}

fn sentence(problem: &ProblemView<'_>) -> Sentence {
    Sentence {
        message: format!("{}: {}", problem.code(), problem.messages().join(", ")),
    }
}

subject!(
    OwnFormat,
    of(docs_src::first_steps::module())
        .problem_format(sentence.invalid_as(400))
        .module(edge::module())
);

#[doyen_test::test(sqlite)]
async fn limits_and_timeouts_have_a_format_of_the_application(app: OwnFormat) {
    app.post("/turns").send().await.expect(204);
    let limited = app.post("/turns").send().await;
    let limited = limited.expect_problem(429, "quota_exceeded");
    assert!(
        limited.text_at("/message").starts_with("quota_exceeded: "),
        "{limited}"
    );
    assert_eq!(limited.header("retry-after"), Some("60"));
    let late = app.post("/wait").send().await;
    let late = late.expect_problem(503, "timeout");
    assert!(late.text_at("/message").starts_with("timeout: "), "{late}");
}

#[doyen_test::test(sqlite)]
async fn a_422_is_a_400_by_a_switch(app: OwnFormat) {
    let wrong = app.post("/turns?x=1").send().await;
    let wrong = wrong.expect_problem(400, "invalid");
    assert_eq!(
        wrong.text_at("/message"),
        "invalid: x this operation has no query parameters"
    );
    let responses = app.document()["paths"]["/turns"]["post"]["responses"].clone();
    assert!(responses.get("422").is_none(), "{responses}");
    assert!(
        responses["400"].to_string().contains("`invalid`"),
        "{responses}"
    );
}
