//! `docs/guide/axum.md`

use docs_src::from_axum::{self, Tenant};
use serde_json::json;

use super::subject;

subject!(App, from_axum::app());

#[doyen_test::test(sqlite)]
async fn the_parts_of_an_axum_application_work(app: App) {
    let add = |tenant: &'static str, text: &str| {
        let call = app.post("/notes").header("x-tenant", tenant);
        call.json(&json!({"text": text})).send()
    };
    let note = add("acme", "tea").await.expect(201);
    assert_eq!(note.location(), "/notes/0");
    assert_eq!(note.header("x-served-by"), Some("notes"));
    let found = app.get("/notes/0").send().await.expect(200);
    assert_eq!(found.json(), json!({"id": 0, "text": "acme: tea"}));
    let missing = app.get("/notes/7").send().await;
    missing.expect_problem(404, "note_not_found");
    let list = app.get("/notes?limit=1").send().await.expect(200);
    assert_eq!(list.json(), json!(["acme: tea"]));
    let wrong = add("", "").await.expect_problem(422, "invalid");
    assert_eq!(wrong.failures(), ["/text length", "/x-tenant length"]);
}

#[doyen_test::test(sqlite)]
async fn a_router_is_mounted_as_it_is(app: App) {
    let pong = app.get("/legacy/ping").send().await.expect(200);
    assert_eq!(pong.text(), "pong");
    assert_eq!(pong.header("x-served-by"), None);
}

/// A handler is an async function: it can be called without a server, too.
#[test]
fn extractors_are_types_of_the_application() {
    fn is_extractor<T: doyen::web::extract::FromRequestParts>() {}
    is_extractor::<Tenant>();
}
