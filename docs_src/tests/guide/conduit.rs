//! `docs/guide/porting.md`

use std::time::Duration;

use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

/// The port, with the settings of its old contract.
struct Conduit(TestApp);

impl Subject for Conduit {
    fn app() -> doyen::App {
        docs_src::conduit::app()
    }
    fn setup() -> Setup {
        Setup::new()
            .set("auth.access_lifetime", "1440h")
            .set("auth.long_access_tokens", "true")
            .set("auth.password.min_length", "5")
            .set("auth.password.refuse_common", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The exchanges of an old client, as they were recorded. Only the token differs from run to run.
const RECORDING: &str = include_str!("conduit.http");

/// The response headers that belong to the contract.
const HEADERS: [&str; 2] = ["content-type: ", "www-authenticate: "];

#[doyen_test::test]
async fn recorded_traffic_is_answered_byte_for_byte(app: Conduit) {
    let server = app.0.serve().await;
    let mut token = String::new();
    for exchange in RECORDING.trim_end().split("\n=====\n") {
        let (request, wanted) = exchange.split_once("\n-----\n").unwrap();
        let (head, body) = request.split_once("\n\n").unwrap();
        let head = head.replace('\n', "\r\n").replace("{{token}}", &token);
        let given = server.exchange(format!("{head}\r\n\r\n{body}")).await;
        let (head, body) = given.split_once("\r\n\r\n").unwrap();
        let status = head.split("\r\n").next().unwrap();
        let mut given = format!("{status}\n");
        for name in HEADERS {
            let line = head.split("\r\n").find(|line| line.starts_with(name));
            given.extend(line.map(|line| format!("{line}\n")));
        }
        if let Some((_, rest)) = body.split_once("\"token\":\"") {
            rest.split('"').next().unwrap().clone_into(&mut token);
        }
        let body = match token.as_str() {
            "" => body.to_owned(),
            token => body.replace(token, "{{token}}"),
        };
        assert_eq!(format!("{given}\n{body}"), wanted, "{request}");
    }
    assert!(RECORDING.matches("=====").count() > 10);
}

#[doyen_test::test(sqlite)]
async fn a_token_lives_as_long_as_the_old_contract_says(app: Conduit) {
    let ada = json!({"user": {"username": "ada", "email": "ada@example.com", "password": "12345"}});
    let user = app.0.post("/api/users").json(&ada).send().await.expect(201);
    let token = format!("Token {}", user.text_at("/user/token"));
    app.0.clock().advance(Duration::from_secs(59 * 86_400));
    let current = || app.0.get("/api/user").header("authorization", &*token);
    current().send().await.expect(200);
    app.0.clock().advance(Duration::from_secs(2 * 86_400));
    current().send().await.expect_problem(401, "invalid_token");
    // The word of the old API is the only one.
    let bearer = app.0.get("/api/user").bearer(user.text_at("/user/token"));
    bearer.send().await.expect_problem(401, "unauthenticated");
}

#[doyen_test::test(sqlite)]
async fn the_document_describes_the_old_contract(app: Conduit) {
    let document = app.0.document();
    assert_eq!(
        document["components"]["securitySchemes"],
        json!({"token": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Sent as `Authorization: Token <credential>`."}})
    );
    let responses = &document["paths"]["/api/users"]["post"]["responses"];
    let schema = json!({"$ref": "#/components/schemas/Errors"});
    for status in ["422", "500", "503"] {
        let described = &responses[status]["content"]["application/json"]["schema"];
        assert_eq!(*described, schema, "{status}");
    }
}

#[doyen_test::test]
async fn rows_are_read_from_a_test(app: Conduit) {
    let ada = json!({"user": {"username": "ada", "email": "Ada@example.com", "password": "12345"}});
    app.0.post("/api/users").json(&ada).send().await.expect(201);
    let sql = "SELECT username, email FROM users WHERE username = $1";
    let rows = app.0.rows(sql, ["ada".into()]).await;
    assert_eq!(
        rows,
        [json!({"username": "ada", "email": "ada@example.com"})]
    );
}

#[doyen_test::test]
async fn a_failure_prints_its_cause_and_the_last_statements(app: Conduit) {
    app.0.execute("DROP TABLE articles", []).await;
    let failed = app.0.get("/api/articles").send().await.expect(500);
    let printed = failed.to_string();
    assert!(!failed.causes().is_empty(), "{printed}");
    assert!(printed.contains("\ncause: "), "{printed}");
    assert!(
        printed.contains("last statements of the request:"),
        "{printed}"
    );
    assert!(printed.contains("FROM articles"), "{printed}");
}
