//! Response models, errors, additional responses.

use docs_src::fastapi;
use serde_json::json;

use crate::{of, subject};

subject!(Configured, of(fastapi::path_operation::module()));

#[doyen_test::test(sqlite)]
async fn a_route_says_what_the_document_says(app: Configured) {
    app.post("/items?name=foo").send().await.expect(201);
    app.get("/internal").send().await.expect(200);
    let paths = &app.document()["paths"];
    let create = &paths["/items"]["post"];
    assert_eq!(create["operationId"], "create_item");
    assert_eq!(create["summary"], "Create an item");
    assert_eq!(
        create["description"],
        "An item has a **name** and nothing else."
    );
    assert_eq!(create["tags"], json!(["items"]));
    assert_eq!(
        create["responses"]["201"]["description"],
        "The created item."
    );
    assert_eq!(paths["/users"]["get"]["tags"], json!(["users"]));
    assert_eq!(paths["/elements"]["get"]["deprecated"], true);
    assert!(paths.get("/internal").is_none());
}

subject!(Users, of(fastapi::response_model::module()));

#[doyen_test::test(sqlite)]
async fn a_password_cannot_leave(app: Users) {
    let user = json!({"username": "john", "email": "john@example.com", "password": "secret"});
    let created = app.post("/users").json(&user).send().await.expect(201);
    assert_eq!(
        created.json(),
        json!({"username": "john", "email": "john@example.com"})
    );
    let users = app.get("/users").send().await.expect(200);
    assert_eq!(users.json(), json!([]));
    let weights = app.get("/keyword-weights").send().await.expect(200);
    assert_eq!(weights.json(), json!({"foo": 2.3}));
    let schema = &app.document()["components"]["schemas"]["UserOut"];
    assert!(schema["properties"].get("password").is_none(), "{schema}");
}

subject!(Errors, of(fastapi::errors::module()));

#[doyen_test::test(sqlite)]
async fn an_error_has_a_status_a_text_and_headers(app: Errors) {
    app.get("/items/foo").send().await.expect(200);
    let missing = app.get("/items/bar").send().await;
    let missing = missing.expect_problem(404, "item_not_found");
    assert_eq!(missing.text_at("/detail"), "Item not found");
    assert_eq!(missing.header("x-error"), Some("There goes my error"));
    let unicorn = app.get("/items/yolo").send().await;
    let unicorn = unicorn.expect_problem(418, "unicorn");
    assert_eq!(unicorn.text_at("/detail"), "Oops! yolo did something.");
    let responses = &app.document()["paths"]["/items/{item_id}"]["get"]["responses"];
    assert!(responses["404"]["headers"]["X-Error"].is_object());
    assert!(responses["418"].is_object());
}

subject!(Additional, of(fastapi::additional_responses::module()));

#[doyen_test::test(sqlite)]
async fn a_status_has_several_bodies(app: Additional) {
    let item = app.get("/items/foo").send().await.expect(200);
    assert_eq!(item.at("/value"), "there goes my hero");
    let image = app.get("/items/foo?img=true").send().await.expect(200);
    assert_eq!(image.header("content-type"), Some("image/png"));
    let missing = app.get("/items/bar").send().await.expect(404);
    assert_eq!(missing.json(), json!({"message": "Item not found"}));
    let responses = &app.document()["paths"]["/items/{item_id}"]["get"]["responses"];
    let content = responses["200"]["content"].as_object().unwrap();
    let media: Vec<&String> = content.keys().collect();
    assert_eq!(media, ["application/json", "image/png"]);
}

subject!(Metadata, fastapi::metadata::app());

#[doyen_test::test(sqlite)]
async fn the_document_has_the_metadata(app: Metadata) {
    app.get("/items").send().await.expect(200);
    // Conditions apply to a response without an `ETag` too, and are documented.
    let known = app.get("/items").if_none_match("*").send().await;
    known.expect(304);
    let other = app.get("/items").if_match("\"x\"").send().await;
    other.expect_problem(412, "precondition_failed");
    let document = app.document();
    assert_eq!(document["info"]["title"], "ChimichangApp");
    assert_eq!(document["info"]["version"], "0.0.1");
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
    let contact = &document["info"]["contact"];
    assert_eq!(contact["name"], "Deadpoolio the Amazing");
    assert_eq!(document["tags"][0]["name"], "items");
}
