//! `docs/guide/schemes.md`

use doyen::domain::Caller;
use serde_json::json;

use super::identity::token;
use super::subject;

subject!(Warehouse, docs_src::schemes::app());

#[doyen_test::test(sqlite)]
async fn a_caller_is_identified_by_each_scheme(app: Warehouse) {
    let jwt = token(&app, "ada", &[]);
    for call in [
        app.get("/me")
            .header("authorization", format!("Token {jwt}")),
        app.get("/me")
            .header("authorization", format!("token {jwt}")),
        app.get("/me").bearer(&jwt),
    ] {
        let me = call.send().await.expect(200);
        assert_eq!(me.json(), json!({"name": "ada"}));
    }
    let robot = app.get("/me?api_key=r2d2-r2d2").send().await.expect(200);
    assert_eq!(robot.json(), json!({"name": "robot-0"}));
    // The log names the caller of each scheme.
    let users: Vec<_> = app.log().iter().map(|line| line["user"].clone()).collect();
    assert_eq!(users, ["ada", "ada", "ada", "robot-0"]);
}

#[doyen_test::test(sqlite)]
async fn a_refused_credential_gets_the_challenge_of_its_scheme(app: Warehouse) {
    let none = app
        .get("/me")
        .send()
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(
        none.header("www-authenticate"),
        Some("Bearer realm=\"api\", Token realm=\"api\", ApiKey realm=\"api\"")
    );
    let forged = app.get("/me").header("authorization", "Token forged");
    let forged = forged.send().await.expect_problem(401, "invalid_token");
    assert_eq!(
        forged.header("www-authenticate"),
        Some("Token realm=\"api\", error=\"invalid_token\"")
    );
    // An unknown key is no caller, and the next scheme is asked.
    let wrong = app.get("/me?api_key=c3po").send().await;
    wrong.expect_problem(401, "unauthenticated");
    let both = app
        .get("/me")
        .header("authorization", "Token x")
        .header("x-api-key", "y");
    both.send().await.expect_problem(400, "invalid_request");
}

#[doyen_test::test(sqlite)]
async fn limits_count_each_caller(app: Warehouse) {
    for _ in 0..3 {
        app.get("/me?api_key=r2d2-r2d2").send().await.expect(200);
    }
    let limited = app.get("/me?api_key=r2d2-r2d2").send().await;
    limited.expect_problem(429, "quota_exceeded");
    let jwt = token(&app, "ada", &[]);
    app.get("/me").bearer(&jwt).send().await.expect(200);
}

#[doyen_test::test(sqlite)]
async fn a_handler_can_read_a_credential_itself(app: Warehouse) {
    let none = app
        .get("/mirror")
        .send()
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(none.header("www-authenticate"), Some("Basic realm=\"api\""));
    let call = app
        .get("/mirror")
        .header("authorization", "Basic YWRhOnNlY3JldA==");
    assert_eq!(call.send().await.expect(200).json(), json!({"name": "ada"}));
    let malformed = app.get("/mirror").header("authorization", "Basic ada");
    malformed
        .send()
        .await
        .expect_problem(401, "unauthenticated");
}

#[doyen_test::test(sqlite)]
async fn the_document_shows_the_schemes(app: Warehouse) {
    let document = app.document();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        schemes["token"],
        json!({"type": "apiKey", "in": "header", "name": "Authorization", "description": "An access token of an old client."})
    );
    assert_eq!(schemes["api_key"]["in"], "query");
    assert_eq!(schemes["basic"]["scheme"], "basic");
    assert_eq!(
        document["paths"]["/me"]["get"]["security"],
        json!([{"bearer": []}, {"token": []}, {"api_key": []}])
    );
    assert_eq!(
        document["paths"]["/mirror"]["get"]["security"],
        json!([{"basic": []}])
    );
}

#[doyen_test::test(sqlite)]
async fn a_test_can_be_any_caller(app: Warehouse) {
    let ada = app.as_user(Caller::new("ada"));
    let me = ada.get("/me").send().await.expect(200);
    assert_eq!(me.json(), json!({"name": "ada"}));
    app.get("/me").send().await.expect(401);
    // Another client cannot name a caller of the test.
    let forged = app.get("/me").header("authorization", "DoyenTest 7");
    forged.send().await.expect(401);
}
