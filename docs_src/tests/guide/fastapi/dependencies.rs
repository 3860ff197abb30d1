//! Dependencies, and their replacements in tests.

use std::sync::Arc;

use docs_src::fastapi::{self, guards, sub_dependencies, *};
use doyen_test::{Setup, Subject, TestApp};
use serde_json::json;

use super::super::of;
use super::{Chapters, get, refused};

#[doyen_test::test(sqlite)]
async fn dependencies_have_parameters(chapters: Chapters) {
    let app = chapters.with(depends_shared::module()).await;
    for path in ["/items/", "/users/"] {
        assert_eq!(
            get(&app, path).await,
            json!({"q": null, "skip": 0, "limit": 100})
        );
        let set = get(&app, &format!("{path}?q=foo&skip=5&limit=30")).await;
        assert_eq!(set, json!({"q": "foo", "skip": 5, "limit": 30}));
    }

    let app = chapters.with(depends_class::module()).await;
    let items = get(&app, "/items/?q=foo&skip=1&limit=1").await;
    assert_eq!(items, json!({"q": "foo", "items": [{"item_name": "Bar"}]}));

    let app = chapters.with(fastapi::dependencies::module()).await;
    let text = app.get("/items?q=foo&skip=5").send().await.expect(200);
    assert_eq!(text.text(), r#"Some("foo") 5 100"#);
    let text = app.get("/articles/tea").send().await.expect(200);
    assert_eq!(text.text(), "How to brew tea");
    let missing = app.get("/articles/cake").send().await;
    missing.expect_problem(404, "article_not_found");

    let app = chapters.with(depends_parameters::module()).await;
    let found = get(&app, "/query-checker/?q=foobar").await;
    assert_eq!(found, json!({"fixed_content_in_query": true}));
    let none = get(&app, "/query-checker/").await;
    assert_eq!(none, json!({"fixed_content_in_query": false}));
}

#[doyen_test::test(sqlite)]
async fn dependencies_have_dependencies(chapters: Chapters) {
    let app = chapters.with(sub_dependencies::module()).await;
    assert_eq!(get(&app, "/items/?q=a").await, json!({"q_or_cookie": "a"}));
    let call = app.get("/items/").header("cookie", "last_query=b");
    let cookie = call.send().await.expect(200).json();
    assert_eq!(cookie, json!({"q_or_cookie": "b"}));
    let operation = &app.document()["paths"]["/items/"]["get"];
    let names = operation["parameters"].as_array().unwrap().iter();
    let names: Vec<&str> = names.filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["last_query", "q"]);

    let app = chapters.with(depends_yield_error::module()).await;
    let item = get(&app, "/items/portal-gun").await;
    assert_eq!(item["owner"], "Rick");
    let missing = app.get("/items/foo").send().await;
    missing.expect_problem(404, "item_not_found");
    let other = app.get("/items/plumbus").send().await;
    let other = other.expect_problem(400, "wrong_owner");
    assert_eq!(other.text_at("/detail"), "Owner error: Rick");

    let app = chapters.with(depends_yield::module()).await;
    assert_eq!(app.get("/item").send().await.expect(200).text(), "Foo");
    let log = app.inject::<Arc<depends_yield::Log>>().await;
    // The cleanup follows the response.
    while log.0.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*log.0.lock().unwrap(), ["open", "close"]);
}

#[doyen_test::test(sqlite)]
async fn guards_check_and_are_in_the_document(chapters: Chapters) {
    let app = chapters.with(depends_global::module()).await;
    assert_eq!(refused(&app, "/items/").await, ["/x-token required"]);
    for path in ["/items/", "/users/"] {
        let call = |token: &str| app.get(path).header("x-token", token).send();
        call("fake-super-secret-token").await.expect(200);
        let wrong = call("invalid").await.expect_problem(400, "wrong_token");
        assert_eq!(wrong.text_at("/detail"), "X-Token header invalid");
    }

    let app = chapters.with(guards::module()).await;
    let items = |key: &str| {
        let call = app.get("/guarded/items").header("x-key", key);
        call.header("x-token", "fake-super-secret-token").send()
    };
    items("fake-super-secret-key").await.expect(200);
    items("x").await.expect_problem(400, "wrong_key");
    assert_eq!(
        refused(&app, "/guarded/items").await,
        ["/x-key required", "/x-token required"]
    );
    let parameters = &app.document()["paths"]["/guarded/items"]["get"]["parameters"];
    assert_eq!(parameters.as_array().map(Vec::len), Some(2));
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
    let query = get(&app.0, "/items/?q=a").await;
    assert_eq!(query, json!({"q_or_cookie": "replaced"}));
    // The guard of the module is replaced, that of the list is not.
    app.0.get("/guarded/users").send().await.expect(200);
    assert_eq!(refused(&app.0, "/guarded/items").await, ["/x-key required"]);
}

/// A test that replaces what nothing uses.
#[tokio::test]
async fn a_replacement_that_nothing_uses_is_a_mistake() {
    use doyen::domain::inject::Container;
    let mut container = Container::builder();
    container.override_extractor(|| guards::VerifyToken);
    let errors = container.build(&[]).unwrap_err();
    let error = errors[0].to_string();
    assert!(error.contains("VerifyToken"), "{error}");
}
