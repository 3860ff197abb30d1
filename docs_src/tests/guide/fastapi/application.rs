//! Dependencies, security and databases.

use docs_src::fastapi::{self, guards, sub_dependencies};
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

use crate::{of, subject};

subject!(Queries, of(sub_dependencies::module()));

#[doyen_test::test(sqlite)]
async fn a_dependency_has_dependencies(app: Queries) {
    let answer = app.get("/items?q=a").send().await.expect(200);
    assert_eq!(answer.text(), "a");
    let call = app.get("/items").header("cookie", "last_query=b");
    assert_eq!(call.send().await.expect(200).text(), "b");
    let operation = &app.document()["paths"]["/items"]["get"];
    let names = operation["parameters"].as_array().unwrap();
    let names: Vec<&str> = names
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["q", "last_query"]);
}

/// `app.dependency_overrides[query_or_cookie_extractor] = ..`
struct Replaced(TestApp);

impl Subject for Replaced {
    fn app() -> doyen::App {
        of(sub_dependencies::module()).module(guards::module())
    }
    fn setup() -> Setup {
        Setup::new()
            .override_extractor(|| sub_dependencies::QueryOrCookie(Some("replaced".to_owned())))
            .override_extractor(|| guards::VerifyToken)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn a_test_replaces_an_extractor_and_a_guard(app: Replaced) {
    let answer = app.0.get("/items?q=a").send().await.expect(200);
    assert_eq!(answer.text(), "replaced");
    // The guard of the module is replaced, that of the list is not.
    app.0.get("/guarded/users").send().await.expect(200);
    let items = app.0.get("/guarded/items").send().await;
    let items = items.expect_problem(422, "invalid");
    assert_eq!(items.failures(), ["/x-key required"]);
}

/// A test that replaces what nothing uses.
#[tokio::test]
async fn a_replacement_that_nothing_uses_is_a_mistake() {
    use doyen::domain::inject::Container;
    let mut container = Container::builder();
    container.override_extractor(|| guards::VerifyToken);
    let errors = container.build(&[]).unwrap_err();
    assert!(
        errors[0].to_string().contains("VerifyToken"),
        "{}",
        errors[0]
    );
}

subject!(Guarded, of(guards::module()));

#[doyen_test::test(sqlite)]
async fn guards_check_and_are_in_the_document(app: Guarded) {
    let users = |token: &'static str| app.get("/guarded/users").header("x-token", token).send();
    users("fake-super-secret-token").await.expect(200);
    users("x").await.expect_problem(400, "wrong_token");
    let items = |key: &'static str| {
        app.get("/guarded/items")
            .header("x-token", "fake-super-secret-token")
            .header("x-key", key)
            .send()
    };
    items("fake-super-secret-key").await.expect(200);
    items("x").await.expect_problem(400, "wrong_key");
    let none = app.get("/guarded/items").send().await;
    let none = none.expect_problem(422, "invalid");
    assert_eq!(none.failures(), ["/x-key required", "/x-token required"]);
    let parameters = &app.document()["paths"]["/guarded/items"]["get"]["parameters"];
    assert_eq!(parameters.as_array().map(Vec::len), Some(2));
}

subject!(OAuth2, fastapi::oauth2::app());

#[doyen_test::test(sqlite)]
async fn a_password_gets_a_token_and_the_token_a_user(app: OAuth2) {
    let form = "application/x-www-form-urlencoded";
    let log_in = |body: &'static str| app.post("/token").body(form, body).send();
    let token = log_in("username=johndoe&password=secret").await.expect(200);
    assert_eq!(token.at("/token_type"), "bearer");
    let wrong = log_in("username=johndoe&password=x").await;
    let wrong = wrong.expect_problem(400, "incorrect_login");
    assert_eq!(wrong.text_at("/detail"), "Incorrect username or password");
    let me = app.get("/users/me").bearer(token.text_at("/access_token"));
    assert_eq!(me.send().await.expect(200).text(), "johndoe");
    let none = app.get("/users/me").send().await;
    let none = none.expect_problem(401, "unauthenticated");
    let challenge = none.header("www-authenticate").unwrap_or("");
    assert!(
        challenge.contains("Bearer") && challenge.contains("Basic"),
        "{none}"
    );
    // "stanleyjobson:swordfish" and "stanleyjobson:x"
    for (credentials, status) in [
        ("c3RhbmxleWpvYnNvbjpzd29yZGZpc2g=", 200),
        ("c3RhbmxleWpvYnNvbjp4", 401),
    ] {
        let call = app.get("/users/me");
        let call = call.header("authorization", format!("Basic {credentials}"));
        call.send().await.expect(status);
    }
    let schemes = &app.document()["components"]["securitySchemes"];
    assert_eq!(schemes["oauth2"]["flows"]["password"]["tokenUrl"], "/token");
    assert_eq!(schemes["basic"]["scheme"], "basic", "{schemes}");
}

subject!(Heroes, fastapi::heroes::app());

#[doyen_test::test]
async fn heroes_are_created_listed_read_and_deleted(app: Heroes) {
    for name in ["Deadpond", "Spider-Boy", "Rusty-Man"] {
        let hero = json!({"name": name, "secret_name": "Dive Wilson"});
        let made = app.post("/heroes").json(&hero).send().await.expect(200);
        assert_eq!(made.at("/age"), json!(null));
        assert!(made.json().get("secret_name").is_none(), "{made}");
    }
    let listed = app.get("/heroes?offset=1&limit=1").send().await.expect(200);
    assert_eq!(
        listed.json(),
        json!([{"id": 2, "name": "Spider-Boy", "age": null}])
    );
    let limit = app.get("/heroes?limit=101").send().await;
    limit.expect_problem(422, "invalid");
    app.delete("/heroes/2").send().await.expect(204);
    for missing in [app.get("/heroes/2"), app.delete("/heroes/2")] {
        let missing = missing.send().await;
        missing.expect_problem(404, "hero_not_found");
    }
    assert_eq!(app.count("heroes").await, 2);
}
