//! Required keys, malformed keys, the document, and mistakes at the start.

use doyen::prelude::*;
use doyen::settings::{Environment, Loader};
use doyen::{App, Overrides};
use serde_json::json;

use crate::app::{Names, Shop, keyed, module, orders};

#[doyen_test::test]
async fn a_required_key_must_be_sent(app: Shop) {
    let call = || {
        app.post("/keyed")
            .body("application/json", "{\"item\": \"tea\"}")
    };
    call()
        .send()
        .await
        .expect_problem(400, "idempotency_key_required");
    // Even for a body that is invalid.
    let wrong = app
        .post("/keyed")
        .body("application/json", "{}")
        .send()
        .await;
    wrong.expect_problem(400, "idempotency_key_required");
    call()
        .header("idempotency-key", "k")
        .send()
        .await
        .expect(201);
    assert_eq!(orders(&app).await, 1);
}

#[doyen_test::test]
async fn a_malformed_key_is_refused(app: Shop) {
    let invalid = "invalid_idempotency_key";
    let long = "k".repeat(256);
    for key in ["", " ", "a b", "tab\there", "é", &long] {
        keyed(&app, "/orders", key, "tea")
            .send()
            .await
            .expect_problem(400, invalid);
    }
    let twice = keyed(&app, "/orders", "a", "tea").header("idempotency-key", "a");
    twice.send().await.expect_problem(400, invalid);
    assert_eq!(orders(&app).await, 0);
    for key in [
        "~",
        "!",
        &long[1..],
        "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
    ] {
        keyed(&app, "/orders", key, "tea").send().await.expect(201);
    }
}

#[doyen_test::test(sqlite)]
async fn the_document_shows_the_header_and_the_problems(app: Shop) {
    let document = app.document();
    let operation = |path: &str| document["paths"][path]["post"].clone();
    let header = |path: &str| {
        let parameters = operation(path)["parameters"].clone();
        let all = parameters.as_array().unwrap().clone();
        all.into_iter()
            .find(|one| one["name"] == "Idempotency-Key")
            .unwrap()
    };
    assert_eq!(header("/orders")["in"], "header");
    assert_eq!(header("/orders")["required"], json!(false));
    assert_eq!(header("/keyed")["required"], json!(true));
    assert_eq!(header("/orders")["schema"]["maxLength"], 255);
    let created = operation("/orders")["responses"]["201"]["headers"].clone();
    assert!(created["Idempotency-Replayed"].is_object(), "{created}");
    let codes: Vec<String> = app
        .operations()
        .iter()
        .find(|operation| operation.path == "/keyed")
        .map(|operation| {
            operation
                .problems
                .iter()
                .map(|one| one.code.to_owned())
                .collect()
        })
        .unwrap();
    for code in [
        "idempotency_in_flight",
        "idempotency_key_reused",
        "idempotency_key_required",
        "invalid_idempotency_key",
        "idempotency_response_unavailable",
    ] {
        assert!(
            codes.iter().any(|known| known == code),
            "{code} is not in {codes:?}"
        );
        let page = app
            .get(format!("/problems/{code}"))
            .header("accept", "application/json");
        page.send().await.expect(200);
    }
}

/// The mistakes of an application.
fn mistakes(app: App) -> String {
    let loader = Loader::new("APP")
        .env(std::iter::empty::<(String, String)>())
        .environment(Environment::Test)
        .set("database.url", "sqlite://never-opened.db");
    match app.build(loader, Overrides::default()) {
        Ok(_) => String::new(),
        Err(error) => doyen::domain::chain(&error).to_string(),
    }
}

/// Reads
#[get("/reads", allow = anyone, idempotent)]
async fn reads() -> NoContent {
    NoContent
}

/// Writes
#[post("/writes", allow = anyone, idempotent(if_supported))]
async fn writes() -> NoContent {
    NoContent
}

#[test]
fn mistakes_are_reported_at_the_start() {
    let without = App::new("a")
        .module(module())
        .plugin(Names)
        .without("idempotency");
    let text = mistakes(without);
    assert!(
        text.contains("POST /orders") && text.contains("feature `idempotency`"),
        "{text}"
    );
    let safe = App::new("a").module(Module::new("m").routes(routes![reads]));
    let text = mistakes(safe);
    assert!(
        text.contains("GET /reads") && text.contains("changes nothing"),
        "{text}"
    );
    let lenient = Module::new("m").routes(routes![writes]);
    assert_eq!(
        mistakes(App::new("a").module(lenient).without("idempotency")),
        ""
    );
}
