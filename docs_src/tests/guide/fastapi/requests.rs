//! Bodies, models of parameters, the request itself.

use docs_src::fastapi;
use serde_json::json;

use crate::{of, subject};

subject!(Body, of(fastapi::body::module()));

#[doyen_test::test(sqlite)]
async fn a_body_has_rules_and_examples(app: Body) {
    let item = json!({"name": "Foo", "price": 50.5, "tax": 4.5});
    let answer = app.put("/items/3?q=x").json(&item).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"item_id": 3, "name": "Foo", "description": null, "price_with_tax": 55.0, "q": "x"})
    );
    let item = json!({"name": "Foo", "price": 0, "description": "x".repeat(301)});
    let answer = app.put("/items/3").json(&item).send().await;
    let answer = answer.expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/description length", "/price range"]);
    let schema = &app.document()["components"]["schemas"]["Item"];
    assert_eq!(schema["examples"][0]["price"], 35.4);
    assert_eq!(schema["properties"]["name"]["examples"], json!(["Foo"]));
    assert_eq!(
        schema["properties"]["description"]["description"],
        "The title of the description, at most 300 characters."
    );
}

subject!(Models, of(fastapi::parameter_models::module()));

#[doyen_test::test(sqlite)]
async fn parameters_are_models(app: Models) {
    let answer = app.get("/items").send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"limit": 100, "offset": 0, "order_by": "created_at", "tags": []})
    );
    let path = "/items?limit=10&offset=5&order_by=updated_at&tags=a&tags=b";
    let answer = app.get(path).send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"limit": 10, "offset": 5, "order_by": "updated_at", "tags": ["a", "b"]})
    );
    let path = "/items?limit=0&order_by=x&offset=-1&tool=plumbus";
    let answer = app.get(path).send().await.expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        [
            "/limit range",
            "/offset range",
            "/order_by one_of",
            "/tool unknown_parameter"
        ]
    );
    let call = app
        .get("/cookies")
        .header("cookie", "session_id=123; other=1");
    let answer = call.send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"session_id": "123", "fatebook_tracker": null})
    );
    let answer = app.get("/cookies").send().await;
    let answer = answer.expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/session_id required"]);
    let form = "application/x-www-form-urlencoded";
    let call = app
        .post("/login")
        .body(form, "username=foo&password=secret");
    assert_eq!(call.send().await.expect(200).text(), "foo 6");
    let call = app.post("/login").body(form, "username=foo&extra=1");
    let answer = call.send().await.expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        ["/extra unknown_field", "/password required"]
    );
}

subject!(Requests, of(fastapi::request_directly::module()));

#[doyen_test::test(sqlite)]
async fn a_handler_reads_the_request_itself(app: Requests) {
    let answer = app.get("/items/foo").send().await.expect(200);
    assert!(answer.text().ends_with(" foo"), "{answer}");
    let call = app.post("/describe").header("x-a", "1").header("x-b", "2");
    let answer = call.body("text/plain", "x").send().await.expect(200);
    assert!(answer.text().starts_with("POST /describe "), "{answer}");
    let item = json!({"title": "Foo", "timestamp": "2026-01-01T00:00:00.000000Z"});
    let answer = app.put("/encoded").json(&item).send().await.expect(200);
    assert_eq!(answer.json(), item);
}

subject!(Updates, of(fastapi::updates::module()));

#[doyen_test::test(sqlite)]
async fn put_replaces_and_patch_changes(app: Updates) {
    let item = json!({"name": "Bar", "description": "The bartenders", "price": 62.0, "tax": 20.2});
    app.put("/items/bar").json(&item).send().await.expect(200);
    let patch = json!({"price": 50.2, "description": null});
    let changed = app.patch("/items/bar").merge_patch(&patch).send().await;
    assert_eq!(
        changed.expect(200).json(),
        json!({"name": "Bar", "description": null, "price": 50.2, "tax": 20.2})
    );
    let item = json!({"name": "Barz", "price": 3.0});
    let replaced = app.put("/items/bar").json(&item).send().await.expect(200);
    assert_eq!(
        replaced.json(),
        json!({"name": "Barz", "description": null, "price": 3.0, "tax": 10.5})
    );
    let missing = app.patch("/items/foo").merge_patch(&patch).send().await;
    missing.expect_problem(404, "item_not_found");
}
