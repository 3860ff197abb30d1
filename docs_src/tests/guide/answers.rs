//! `docs/guide/errors.md`

use serde_json::json;

use super::{of, subject};

subject!(Notes, of(docs_src::answers::module()));

#[doyen_test::test(sqlite)]
async fn created_has_location_and_version(notes: Notes) {
    let answer = notes
        .post("/notes")
        .json(&json!({"text": "Buy tea"}))
        .send()
        .await
        .expect(201);
    assert_eq!(
        (answer.location(), answer.etag()),
        ("/notes/1".to_owned(), "\"1\"".to_owned())
    );
    assert_eq!(
        answer.json(),
        json!({"id": 1, "text": "Buy tea", "words": 2})
    );
}

#[doyen_test::test(sqlite)]
async fn a_client_with_the_current_version_gets_no_body(notes: Notes) {
    let answer = notes.get("/notes/5").send().await.expect(200);
    let again = notes
        .get("/notes/5")
        .if_none_match(answer.etag())
        .send()
        .await
        .expect(304);
    assert!(again.bytes().is_empty());
}

#[doyen_test::test(sqlite)]
async fn fields_are_picked(notes: Notes) {
    assert_eq!(
        notes
            .get("/notes/5?fields=id,words")
            .send()
            .await
            .expect(200)
            .json(),
        json!({"id": 5, "words": 3})
    );
    notes
        .get("/notes/5?fields=colour")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert!(
        notes
            .delete("/notes/5")
            .send()
            .await
            .expect(204)
            .bytes()
            .is_empty()
    );
}

subject!(Bank, of(docs_src::errors::module()));

#[doyen_test::test(sqlite)]
async fn each_variant_is_a_problem(bank: Bank) {
    let transfer = |to: &str, euros: u64| {
        bank.post("/transfers")
            .json(&json!({"to": to, "euros": euros}))
            .send()
    };
    transfer("10", 5).await.expect(204);
    transfer("missing", 5)
        .await
        .expect_problem(404, "account_not_found");
    let missing = transfer("10", 15).await.expect_problem(409, "not_enough");
    assert_eq!(missing.at("/detail"), "The balance is 5 euros short.");
    let away = transfer("abroad", 5)
        .await
        .expect_problem(503, "bank_unavailable");
    assert_eq!(away.header("retry-after"), Some("60"));
}

#[doyen_test::test(sqlite)]
async fn a_cause_is_in_the_log_and_not_in_the_answer(bank: Bank) {
    let call = bank
        .post("/transfers")
        .json(&json!({"to": "x", "euros": 5}));
    let answer = call.send().await.expect_problem(500, "internal");
    assert!(!answer.text().contains("invalid digit"), "{answer}");
    let log = bank.log();
    let line = log
        .iter()
        .find(|line| line["request_id"] == answer.at("/request_id"))
        .unwrap();
    assert!(line.to_string().contains("invalid digit"), "{line}");
}

#[doyen_test::test(sqlite)]
async fn a_problem_has_a_page(bank: Bank) {
    let page = bank
        .get("/problems/account_not_found")
        .send()
        .await
        .expect(200);
    assert!(
        page.text().contains("The account does not exist."),
        "{page}"
    );
    bank.get("/problems/unheard_of").send().await.expect(404);
}

subject!(Newspaper, of(docs_src::links::module()));

#[doyen_test::test(sqlite)]
async fn links_are_shown_to_permitted_callers(newspaper: Newspaper) {
    let answer = newspaper.get("/articles/7").send().await.expect(200);
    assert_eq!(
        answer.at("/_links"),
        json!({"self": {"href": "/articles/7"}})
    );
    let token = super::identity::token(&newspaper, "ada", &[]);
    let answer = newspaper
        .get("/articles/7")
        .bearer(&token)
        .send()
        .await
        .expect(200);
    assert_eq!(
        answer.at("/_links/publish"),
        json!({"href": "/articles/7/publish", "method": "POST"})
    );
    let answer = newspaper
        .get("/articles/700")
        .bearer(&token)
        .send()
        .await
        .expect(200);
    assert_eq!(
        answer.at("/_links"),
        json!({"self": {"href": "/articles/700"}})
    );
}

subject!(CalendarApp, of(docs_src::own_response::module()));

#[doyen_test::test(sqlite)]
async fn a_response_of_your_own_is_sent_and_described(app: CalendarApp) {
    let answer = app.get("/entries/1").send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/calendar"));
    assert!(answer.text().contains("SUMMARY:Tea"));
    let answer = app.get("/print").send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    let answer = app.get("/anything").send().await.expect(200);
    assert_eq!(answer.text(), "<ok/>");
    let paths = &app.document()["paths"];
    let responses = |path: &str| paths[path]["get"]["responses"].clone();
    assert!(responses("/entries/{id}")["200"]["content"]["text/calendar"].is_object());
    assert!(responses("/print")["200"]["content"]["application/pdf"].is_object());
    assert!(responses("/anything")["default"]["content"]["*/*"].is_object());
}
