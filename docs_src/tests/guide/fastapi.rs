//! `docs/guide/fastapi-chapters.md`: the chapters of FastAPI's tutorial, as its documentation
//! describes them.

mod application;
mod proxy;
mod requests;
mod responses;

use doyen_test::Subject;
use serde_json::json;

use super::{of, subject};

use docs_src::fastapi;

subject!(Query, of(fastapi::query::module()));

#[doyen_test::test(sqlite)]
async fn query_parameters_have_defaults_rules_and_names(app: Query) {
    let answer = app.get("/items").send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"q": null, "skip": 0, "limit": 10, "short": false, "tag": [], "item_query": null})
    );
    let path = "/items?q=tea&skip=1&limit=2&short=yes&tag=a&tag=b&item-query=x&trace=1";
    let answer = app.get(path).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"q": "tea", "skip": 1, "limit": 2, "short": true, "tag": ["a", "b"], "item_query": "x"})
    );
    let answer = app.get("/items?q=ab&limit=101&skip=foo").send().await;
    let answer = answer.expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        ["/limit range", "/q length", "/skip type"]
    );
}

subject!(Numeric, of(fastapi::numeric::module()));

#[doyen_test::test(sqlite)]
async fn path_parameters_have_rules_enums_and_a_rest(app: Numeric) {
    let answer = app.get("/items/5?size=0.5").send().await.expect(200);
    assert_eq!(answer.text(), "5 0.5");
    let answer = app.get("/items/1000?size=0").send().await;
    let answer = answer.expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/item_id range", "/size range"]);
    let answer = app.get("/users/me").send().await.expect(200);
    assert_eq!(answer.text(), "the current user");
    assert_eq!(app.get("/users/foo").send().await.expect(200).text(), "foo");
    assert_eq!(
        app.get("/models/resnet").send().await.expect(200).json(),
        "resnet"
    );
    app.get("/models/foo")
        .send()
        .await
        .expect_problem(422, "invalid");
    let answer = app
        .get("/files/home/johndoe/myfile.txt")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.text(), "home/johndoe/myfile.txt");
}

subject!(Bodies, of(fastapi::body_parts::module()));

#[doyen_test::test(sqlite)]
async fn several_bodies_are_members_of_one(app: Bodies) {
    let item = json!({"name": "Foo", "description": null, "price": 42.0, "tax": 3.2});
    let user = json!({"username": "dave", "full_name": "Dave Grohl"});
    let body = json!({"item": item, "user": user, "importance": 5});
    let answer = app.put("/items/5?q=x").json(&body).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"item_id": 5, "item": item, "user": user, "importance": 5, "q": "x"})
    );
    let answer = app
        .put("/items/5")
        .json(&json!({"item": {"name": "Foo"}}))
        .send()
        .await;
    let answer = answer.expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        [
            "/importance required",
            "/item/price required",
            "/user required"
        ]
    );
    let answer = app
        .put("/embedded/1")
        .json(&json!({"item": item}))
        .send()
        .await;
    assert_eq!(answer.expect(200).json(), item);
    app.put("/embedded/1")
        .json(&item)
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        app.post("/maybe").send().await.expect(200).json(),
        json!(null)
    );
    assert_eq!(
        app.post("/maybe")
            .json(&item)
            .send()
            .await
            .expect(200)
            .json(),
        item
    );
}

subject!(Nested, of(fastapi::nested::module()));

#[doyen_test::test(sqlite)]
async fn models_are_nested_and_maps_have_typed_keys(app: Nested) {
    let image = json!({"url": "http://example.com/baz.jpg", "name": "The Foo"});
    let item = json!({"name": "Foo", "price": 1.5, "tags": ["b", "a", "b"], "images": [image]});
    let offer = json!({"name": "Offer", "items": [item]});
    let answer = app.post("/offers").json(&offer).send().await.expect(200);
    assert_eq!(answer.at("/items/0/tags"), json!(["a", "b"]));
    let images = json!([image, {"url": "not a url", "name": "x"}]);
    let answer = app.post("/images/multiple").json(&images).send().await;
    assert_eq!(
        answer.expect_problem(422, "invalid").failures(),
        ["/1/url url"]
    );
    let weights = json!({"1": 0.1, "-2": 0.2});
    let answer = app
        .post("/index-weights")
        .json(&weights)
        .send()
        .await
        .expect(200);
    assert_eq!(answer.json(), weights);
    let answer = app
        .post("/index-weights")
        .json(&json!({"foo": 2.2}))
        .send()
        .await;
    assert_eq!(
        answer.expect_problem(422, "invalid").failures(),
        ["/foo type"]
    );
}

subject!(Times, of(fastapi::extra_types::module()));

#[doyen_test::test(sqlite)]
async fn times_have_one_form_on_the_wire(app: Times) {
    let path = "/items/ff97dd87-a4a5-4a12-b412-cde99f33e00e";
    let body = json!({
        "start": "2018-12-22T14:00:00+00:00", "local": "2018-12-22T14:00", "day": "2018-12-24",
        "repeat_at": "15:30:00", "process_after": "PT300S",
    });
    let answer = app.put(path).json(&body).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({
            "start": "2018-12-22T14:00:00.000000Z", "local": "2018-12-22T14:00:00",
            "day": "2018-12-24", "repeat_at": "15:30:00", "process_after": "PT5M",
        })
    );
    let body =
        json!({"start": "2018-12-22T14:00:00", "repeat_at": "25:00", "process_after": "P1M"});
    let answer = app
        .put(path)
        .json(&body)
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        [
            "/process_after format",
            "/repeat_at format",
            "/start format"
        ]
    );
}

subject!(Headers, of(fastapi::headers_cookies::module()));

#[doyen_test::test(sqlite)]
async fn headers_and_cookies_are_parameters(app: Headers) {
    let answer = app
        .get("/items")
        .header("user-agent", "test")
        .header("x-token", "foo, bar")
        .header("strange_header", "s")
        .header("cookie", "ads_id=1")
        .send()
        .await
        .expect(200);
    assert_eq!(
        answer.text(),
        r#"Some("test") ["foo", "bar"] Some("s") Some("1")"#
    );
    let answer = app
        .get("/common")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert!(
        answer
            .failures()
            .contains(&"/save-data required".to_owned())
    );
}

const FORM: &str = "application/x-www-form-urlencoded";

subject!(Forms, of(fastapi::forms::module()));

#[doyen_test::test(sqlite)]
async fn form_fields_are_parameters(app: Forms) {
    let answer = app
        .post("/login")
        .body(FORM, "username=foo&password=secret")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.text(), "foo read");
    let answer = app.post("/login").body(FORM, "username=foo").send().await;
    assert_eq!(
        answer.expect_problem(422, "invalid").failures(),
        ["/password required"]
    );
}

subject!(Dependencies, of(fastapi::dependencies::module()));

#[doyen_test::test(sqlite)]
async fn an_extractor_is_a_dependency_with_parameters(app: Dependencies) {
    assert_eq!(
        app.get("/items").send().await.expect(200).text(),
        "None 0 100"
    );
    let answer = app
        .get("/items?q=foo&skip=5&limit=30")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.text(), r#"Some("foo") 5 30"#);
    let answer = app.get("/articles/tea").send().await.expect(200);
    assert_eq!(answer.text(), "How to brew tea");
    app.get("/articles/cake")
        .send()
        .await
        .expect_problem(404, "article_not_found");
}

subject!(Responding, of(fastapi::responses::module()));

#[doyen_test::test(sqlite)]
async fn responses_have_statuses_headers_and_cookies(app: Responding) {
    app.post("/tasks").send().await.expect(202);
    app.put("/items/1").send().await.expect(200);
    app.put("/items/10").send().await.expect(201);
    let answer = app.get("/items/3").send().await.expect(200);
    assert_eq!(answer.header("x-language"), Some("en"));
    assert_eq!(answer.header("x-hint"), None);
    assert_eq!(
        answer.header("set-cookie"),
        Some("last_item=3; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax")
    );
    let answer = app.get("/pages/html").send().await.expect(200);
    assert_eq!(answer.text(), "<h1>Tea</h1>");
    assert_eq!(
        app.get("/pages/json").send().await.expect(200).at("/name"),
        "tea"
    );
    app.get("/pages/other").send().await.expect(307);
}

subject!(Streams, of(fastapi::streams::module()));

#[doyen_test::test(sqlite)]
async fn items_are_sent_one_by_one(app: Streams) {
    let answer = app.get("/items.jsonl").send().await.expect(200);
    let lines = "{\"name\":\"tea\",\"price\":2.5}\n{\"name\":\"cake\",\"price\":4.0}\n";
    assert_eq!(answer.text(), lines);
    let answer = app.get("/items.csv").send().await.expect(200);
    assert_eq!(answer.text(), "name,price\r\ntea,2.5\r\ncake,4.0\r\n");
    let answer = app.get("/items/events").send().await.expect(200);
    assert_eq!(
        answer.text(),
        "event: item\nid: 0\ndata: {\"name\":\"tea\",\"price\":2.5}\n\n\
         event: item\nid: 1\ndata: {\"name\":\"cake\",\"price\":4.0}\n\n"
    );
}

subject!(Unions, of(fastapi::unions::module()));

#[doyen_test::test(sqlite)]
async fn a_union_is_told_by_its_fields_or_its_tag(app: Unions) {
    for vehicle in [
        json!({"description": "a", "doors": 4}),
        json!({"description": "b", "size": 5}),
    ] {
        let answer = app
            .post("/vehicles")
            .json(&vehicle)
            .send()
            .await
            .expect(200);
        assert_eq!(answer.json(), vehicle);
    }
    let answer = app
        .post("/vehicles")
        .json(&json!({"description": "c"}))
        .send()
        .await;
    assert_eq!(
        answer.expect_problem(422, "invalid").failures(),
        ["/size required"]
    );
    let shape = json!({"kind": "circle", "radius": 2.0});
    assert_eq!(
        app.post("/shapes")
            .json(&shape)
            .send()
            .await
            .expect(200)
            .json(),
        shape
    );
    let answer = app
        .post("/shapes")
        .json(&json!({"kind": "line"}))
        .send()
        .await;
    assert_eq!(
        answer.expect_problem(422, "invalid").failures(),
        ["/kind one_of"]
    );
    let any = &app.document()["components"]["schemas"]["Vehicle"]["anyOf"];
    assert_eq!(any.as_array().map(Vec::len), Some(2));
}

/// The application with the document.
struct Documented(doyen_test::TestApp);

impl Subject for Documented {
    fn app() -> doyen::App {
        fastapi::document::app()
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test(sqlite)]
async fn the_document_is_in_the_hands_of_the_application(app: Documented) {
    let invoice = json!({"id": "inv_1", "total": 9.5});
    let answer = app
        .0
        .post("/invoices?callback_url=x")
        .json(&invoice)
        .send()
        .await
        .expect(201);
    assert_eq!(answer.json(), invoice);
    let document = app.0.document();
    let at = |pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/servers/0/url"), "/api/v1");
    assert_eq!(at("/info/license/url"), "https://shop.example/licence");
    assert_eq!(at("/externalDocs/description"), "The manual");
    assert_eq!(at("/x-logo/url"), "/logo.svg");
    assert_eq!(
        at("/webhooks/new_subscription/post/operationId"),
        "new_subscription"
    );
    let post = &document["paths"]["/invoices"]["post"];
    assert_eq!(
        post["responses"]["201"]["description"],
        "The stored invoice."
    );
    assert_eq!(post["x-codeSamples"][0]["lang"], "sh");
    assert!(post["callbacks"]["invoice_paid"].is_object());
}
