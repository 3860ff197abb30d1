//! `docs/guide/porting.md`, the errors of FastAPI.

use serde_json::{Value, json};

use super::subject;

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
