//! Databases, updates, metadata, lifecycle, settings.

use std::sync::Arc;

use docs_src::fastapi::*;
use serde_json::json;

use super::super::subject;
use super::{Chapters, get, sent};

subject!(Heroes, heroes::app());

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

#[doyen_test::test(sqlite)]
async fn put_replaces_and_patch_changes(chapters: Chapters) {
    let app = chapters.with(updates::module()).await;
    let item = json!({"name": "Bar", "description": "The bartenders", "price": 62.0, "tax": 20.2});
    app.put("/items/bar").json(&item).send().await.expect(200);
    let patch = json!({"price": 50.2, "description": null});
    let changed = app.patch("/items/bar").merge_patch(&patch).send().await;
    assert_eq!(
        changed.expect(200).json(),
        json!({"name": "Bar", "description": null, "price": 50.2, "tax": 20.2})
    );
    let item = json!({"name": "Barz", "price": 3.0});
    assert_eq!(
        sent(app.put("/items/bar").json(&item)).await,
        json!({"name": "Barz", "description": null, "price": 3.0, "tax": 10.5})
    );
    let missing = app.patch("/items/foo").merge_patch(&patch).send().await;
    missing.expect_problem(404, "item_not_found");
}

#[doyen_test::test(sqlite)]
async fn the_document_has_the_metadata(chapters: Chapters) {
    let paths = [
        ("docs.document_path", "/api/v1/openapi.json"),
        ("docs.page_path", "/documentation"),
    ];
    let app = chapters.app(metadata_info::app, &paths).await;
    assert_eq!(get(&app, "/items/").await, json!([{"name": "Katana"}]));
    // Conditions apply to a response without an `ETag` too, and are documented.
    let known = app.get("/items/").if_none_match("*").send().await;
    known.expect(304);
    let other = app.get("/items/").if_match("\"x\"").send().await;
    other.expect_problem(412, "precondition_failed");
    let document = get(&app, "/api/v1/openapi.json").await;
    let info = &document["info"];
    assert_eq!(info["title"], "ChimichangApp");
    assert_eq!(info["summary"], "Deadpool's favorite app. Nuff said.");
    assert_eq!(info["version"], "0.0.1");
    assert_eq!(info["license"]["identifier"], "Apache-2.0");
    assert_eq!(info["contact"]["name"], "Deadpoolio the Amazing");
    app.get("/documentation").send().await.expect(200);
    app.get("/docs").send().await.expect(404);

    let app = chapters.app(metadata_tags::app, &[]).await;
    get(&app, "/users/").await;
    let tags = &app.document()["tags"];
    let text = "Operations with users. The **login** logic is also here.";
    let users = json!({"name": "users", "description": text});
    assert!(tags.as_array().unwrap().contains(&users), "{tags}");

    // FastAPI's `openapi_url=""`.
    let app = chapters
        .another(
            doyen_test::Setup::new()
                .module(hello::module())
                .set("docs.enabled", "false"),
        )
        .await;
    assert_eq!(get(&app, "/").await, json!({"message": "Hello World"}));
    for path in ["/openapi.json", "/docs"] {
        app.get(path).send().await.expect(404);
    }
}

#[doyen_test::test(sqlite)]
async fn the_document_is_in_the_hands_of_the_application(chapters: Chapters) {
    let app = chapters.app(document::app, &[]).await;
    let invoice = json!({"id": "inv_1", "total": 9.5});
    let made = app.post("/invoices?callback_url=x").json(&invoice);
    assert_eq!(made.send().await.expect(201).json(), invoice);
    let document = app.document();
    let at = |pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/servers/0/url"), "/api/v1");
    assert_eq!(at("/info/license/url"), "https://shop.example/licence");
    assert_eq!(at("/externalDocs/description"), "The manual");
    assert_eq!(at("/x-logo/url"), "/logo.svg");
    let webhook = at("/webhooks/new_subscription/post/operationId");
    assert_eq!(webhook, "new_subscription");
    let post = &document["paths"]["/invoices"]["post"];
    let returns = &post["responses"]["201"]["description"];
    assert_eq!(returns, "The stored invoice.");
    assert_eq!(post["x-codeSamples"][0]["lang"], "sh");
    assert!(post["callbacks"]["invoice_paid"].is_object());
}

#[doyen_test::test(sqlite)]
async fn work_at_the_start_and_at_the_stop(chapters: Chapters) {
    let app = chapters.app(events_start::app, &[]).await;
    assert_eq!(get(&app, "/items/foo").await, "Fighters");

    let app = chapters.app(lifespan::app, &[]).await;
    assert_eq!(get(&app, "/predict?x=2").await, json!({"result": 84.0}));

    let app = chapters.app(events_stop::app, &[]).await;
    assert_eq!(get(&app, "/items/").await, json!(["Foo"]));
    let log = app.inject::<Arc<events_stop::Log>>().await;
    assert!(log.0.lock().unwrap().is_empty());
    app.runtime().stop().await;
    assert_eq!(*log.0.lock().unwrap(), ["Application shutdown"]);
}

#[doyen_test::test(sqlite)]
async fn settings_have_types_and_defaults(chapters: Chapters) {
    let email = [("admin_email", "deadpool@example.com")];
    let app = chapters.app(settings::app, &email).await;
    assert_eq!(
        get(&app, "/info").await,
        json!({"app_name": "Awesome API", "admin_email": "deadpool@example.com", "items_per_user": 50})
    );
}

#[doyen_test::test(sqlite)]
async fn a_test_is_a_client(chapters: Chapters) {
    let app = chapters.with(testing::module()).await;
    let item = json!({"id": "foobar", "title": "Foo Bar", "description": "The Foo Barters"});
    let create = |token: &str| {
        app.post("/items/")
            .header("x-token", token)
            .json(&item)
            .send()
    };
    assert_eq!(create("coneofsilence").await.expect(200).json(), item);
    let wrong = create("hailhydra").await.expect_problem(400, "wrong_token");
    assert_eq!(wrong.text_at("/detail"), "Invalid X-Token header");
    let again = create("coneofsilence").await;
    again.expect_problem(409, "item_exists");
    let read = |id: &str| {
        app.get(format!("/items/{id}"))
            .header("x-token", "coneofsilence")
            .send()
    };
    assert_eq!(read("foobar").await.expect(200).json(), item);
    read("baz").await.expect_problem(404, "item_not_found");
}
