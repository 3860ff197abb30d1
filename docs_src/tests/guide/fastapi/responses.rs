//! Response models, statuses, errors, and custom responses.

use std::sync::Arc;

use docs_src::fastapi::*;
use serde_json::{Value, json};

use super::{Chapters, get, invalid, sent};

#[doyen_test::test(sqlite)]
async fn the_return_type_is_the_model(chapters: Chapters) {
    let app = chapters.with(response_model::module()).await;
    let item = json!({"name": "Portal Gun", "price": 42.0});
    let all =
        json!({"name": "Portal Gun", "description": null, "price": 42.0, "tax": null, "tags": []});
    assert_eq!(sent(app.post("/items/").json(&item)).await, all);
    assert_eq!(get(&app, "/items/").await[0], all);

    let user = json!({"username": "foo", "password": "fighter", "email": "foo@example.com", "full_name": "Grave Dohl"});
    let shown = json!({"username": "foo", "email": "foo@example.com", "full_name": "Grave Dohl"});
    let app = chapters.with(response_filter::module()).await;
    assert_eq!(sent(app.post("/user/").json(&user)).await, shown);
    let app = chapters.with(extra_models::module()).await;
    assert_eq!(sent(app.post("/user/").json(&user)).await, shown);

    let app = chapters.with(response_either::module()).await;
    let portal = get(&app, "/portal").await;
    assert_eq!(
        portal,
        json!({"message": "Here's your interdimensional portal."})
    );
    let away = app.get("/portal?teleport=true").send().await.expect(307);
    let youtube = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";
    assert_eq!(away.header("location"), Some(youtube));

    let app = chapters.with(response_redirect::module()).await;
    let away = app.get("/teleport").send().await.expect(307);
    assert_eq!(away.header("location"), Some(youtube));

    let app = chapters.with(response_redirect_302::module()).await;
    let away = app.get("/pydantic").send().await.expect(302);
    assert_eq!(away.header("location"), Some("https://docs.pydantic.dev/"));

    let app = chapters.with(response_skip_none::module()).await;
    assert_eq!(
        get(&app, "/items/foo").await,
        json!({"name": "Foo", "price": 50.2})
    );
    assert_eq!(get(&app, "/items/bar").await["tax"], 20.2);

    let app = chapters.with(response_views::module()).await;
    let name = json!({"name": "Bar", "description": "The Bar fighters"});
    assert_eq!(get(&app, "/items/bar/name").await, name);
    assert_eq!(get(&app, "/items/baz/public").await["price"], 50.2);
}

#[doyen_test::test(sqlite)]
async fn models_are_combined(chapters: Chapters) {
    let app = chapters.with(extra_models_union::module()).await;
    let plane = "Music is my aeroplane, it's my aeroplane";
    assert_eq!(
        get(&app, "/items/item2").await,
        json!({"type": "plane", "description": plane, "size": 5})
    );
    assert_eq!(get(&app, "/items/item1").await["type"], "car");

    let app = chapters.with(unions::module()).await;
    for vehicle in [
        json!({"description": "a", "doors": 4}),
        json!({"description": "b", "size": 5}),
    ] {
        assert_eq!(sent(app.post("/vehicles").json(&vehicle)).await, vehicle);
    }
    let wrong = invalid(app.post("/vehicles").json(&json!({"description": "c"}))).await;
    assert_eq!(wrong, ["/size required"]);
    let shape = json!({"kind": "circle", "radius": 2.0});
    assert_eq!(sent(app.post("/shapes").json(&shape)).await, shape);
    let wrong = invalid(app.post("/shapes").json(&json!({"kind": "line"}))).await;
    assert_eq!(wrong, ["/kind one_of"]);
    let any = &app.document()["components"]["schemas"]["Vehicle"]["anyOf"];
    assert_eq!(any.as_array().map(Vec::len), Some(2));

    let app = chapters.with(extra_models_list::module()).await;
    let first = json!({"name": "Foo", "description": "There comes my hero"});
    assert_eq!(get(&app, "/items/").await[0], first);

    let app = chapters.with(extra_models_map::module()).await;
    let weights = json!({"foo": 2.3, "bar": 3.4});
    assert_eq!(get(&app, "/keyword-weights/").await, weights);
}

#[doyen_test::test(sqlite)]
async fn statuses_headers_and_cookies(chapters: Chapters) {
    let app = chapters.with(status_code::module()).await;
    let made = app.post("/items/?name=foo").send().await.expect(201);
    assert_eq!(made.json(), json!({"name": "foo"}));

    let app = chapters.with(additional_status::module()).await;
    let item = json!({"name": "Wrestlers", "size": 3});
    app.put("/items/foo").json(&item).send().await.expect(200);
    let made = app.put("/items/red").json(&item).send().await.expect(201);
    assert_eq!(made.json(), item);

    let app = chapters.with(response_status::module()).await;
    let known = app.put("/get-or-create-task/foo").send().await.expect(200);
    assert_eq!(known.json(), "Listen to the Bar Fighters");
    let made = app.put("/get-or-create-task/bar").send().await.expect(201);
    assert_eq!(made.json(), "This didn't exist before");

    let app = chapters.with(response_cookies::module()).await;
    let cookie = app.post("/cookie-and-object/").send().await.expect(200);
    // FastAPI's is neither `HttpOnly` nor `Secure`.
    assert_eq!(
        cookie.header("set-cookie"),
        Some("fakesession=fake-cookie-session-value; Path=/; HttpOnly; Secure; SameSite=Lax")
    );

    let app = chapters.with(response_headers::module()).await;
    let headers = app.get("/headers/").send().await.expect(200);
    assert_eq!(headers.header("x-cat-dog"), Some("alone in the world"));
    assert_eq!(headers.header("content-language"), Some("en-US"));
    let answer = &app.document()["paths"]["/headers/"]["get"]["responses"]["200"];
    assert!(answer["headers"]["x-cat-dog"].is_object(), "{answer}");
}

#[doyen_test::test(sqlite)]
async fn errors_are_types(chapters: Chapters) {
    let app = chapters.with(errors_problem::module()).await;
    let item = get(&app, "/items/foo").await;
    assert_eq!(item, json!({"item": "The Foo Wrestlers"}));
    let missing = app.get("/items/bar").send().await;
    let missing = missing.expect_problem(404, "item_not_found");
    assert_eq!(missing.text_at("/detail"), "Item not found");

    let app = chapters.with(errors_header::module()).await;
    get(&app, "/items-header/foo").await;
    let missing = app.get("/items-header/bar").send().await.expect(404);
    assert_eq!(missing.header("x-error"), Some("There goes my error"));

    let app = chapters.with(errors_status::module()).await;
    let name = get(&app, "/unicorns/shinny").await;
    assert_eq!(name, json!({"unicorn_name": "shinny"}));
    let oops = app.get("/unicorns/yolo").send().await.expect(418);
    let text = "Oops! yolo did something. There goes a rainbow...";
    assert_eq!(oops.text_at("/detail"), text);

    let app = chapters.app(errors_format::app, &[]).await;
    assert_eq!(get(&app, "/items/2").await, json!({"item_id": 2}));
    let nope = app.get("/items/3").send().await.expect(418);
    assert_eq!(nope.json(), "Nope! I don't like 3.");
    let wrong = app.get("/items/foo").send().await.expect(400);
    assert!(wrong.text().starts_with("\"item_id must be"), "{wrong}");

    let app = chapters.app(errors_fastapi::app, &[]).await;
    let item = json!({"title": "towel", "size": 5});
    assert_eq!(sent(app.post("/items/").json(&item)).await, item);
    let wrong = json!({"title": "towel", "size": "XL"});
    let wrong = app.post("/items/").json(&wrong).send().await.expect(422);
    assert_eq!(wrong.at("/detail/0/loc"), json!(["body", "size"]));
    assert!(wrong.at("/detail/0/type").is_string() && wrong.at("/detail/0/msg").is_string());
}

#[doyen_test::test(sqlite)]
async fn routes_are_described(chapters: Chapters) {
    let item = json!({"name": "Foo", "price": 50.5});
    let app = chapters.with(operation_status::module()).await;
    app.post("/items/").json(&item).send().await.expect(201);

    let app = chapters.with(operation_tags::module()).await;
    assert_eq!(get(&app, "/items/").await, json!(["Portal gun", "Plumbus"]));
    let paths = &app.document()["paths"];
    assert_eq!(paths["/items/"]["get"]["tags"], json!(["items"]));
    assert_eq!(paths["/users/"]["get"]["tags"], json!(["users"]));

    let app = chapters.with(operation_description::module()).await;
    sent(app.post("/items/").json(&item)).await;
    let create = &app.document()["paths"]["/items/"]["post"];
    assert_eq!(create["summary"], "Create an item");
    let description = create["description"].as_str().unwrap_or("");
    assert!(description.contains("- **name**: each item must have a name"));
    assert_eq!(
        create["responses"]["200"]["description"],
        "The created item"
    );

    let app = chapters.with(operation_deprecated::module()).await;
    get(&app, "/elements/").await;
    let paths = &app.document()["paths"];
    assert_eq!(paths["/elements/"]["get"]["deprecated"], true);
    assert_eq!(paths["/items/"]["get"].get("deprecated"), None);

    let app = chapters.with(encoder::module()).await;
    let item =
        json!({"title": "Foo", "timestamp": "2018-12-22T14:00:00.000000Z", "description": null});
    let put = app.put("/items/foo").json(&item).send().await;
    put.expect(204);
    let items = app.inject::<Arc<encoder::Items>>().await;
    let stored: Option<Value> = items.0.lock().unwrap().get("foo").cloned();
    assert_eq!(stored, Some(item));
}

#[doyen_test::test(sqlite)]
async fn custom_responses(chapters: Chapters) {
    let app = chapters.with(response_xml::module()).await;
    let xml = app.get("/legacy/").send().await.expect(200);
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    assert!(xml.text().starts_with("<?xml version=\"1.0\"?>"), "{xml}");

    let app = chapters.with(response_html::module()).await;
    let html = app.get("/items/").send().await.expect(200);
    assert_eq!(
        html.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(html.text().contains("<h1>Look ma! HTML!</h1>"), "{html}");

    let app = chapters.with(response_text::module()).await;
    assert_eq!(app.get("/").send().await.expect(200).text(), "Hello World");

    let app = chapters.with(response_stream::module()).await;
    let video = app.get("/").send().await.expect(200);
    assert_eq!(video.text(), "some fake video bytes".repeat(10));

    let app = chapters.with(response_file::module()).await;
    let part = app.get("/").header("range", "bytes=0-8").send().await;
    assert_eq!(part.expect(206).text(), "[package]");

    let app = chapters.with(response_own::module()).await;
    let pretty = app.get("/").send().await.expect(200);
    assert_eq!(pretty.text(), "{\n  \"message\": \"Hello World\"\n}");

    let app = chapters.with(additional_responses::module()).await;
    let item = get(&app, "/items/foo").await;
    assert_eq!(item["value"], "there goes my hero");
    let image = app.get("/items/foo?img=true").send().await.expect(200);
    assert_eq!(image.header("content-type"), Some("image/png"));
    let missing = app.get("/items/bar").send().await.expect(404);
    assert_eq!(missing.json(), json!({"message": "Item not found"}));
    let content =
        &app.document()["paths"]["/items/{item_id}"]["get"]["responses"]["200"]["content"];
    let media: Vec<&String> = content.as_object().unwrap().keys().collect();
    assert_eq!(media, ["application/json", "image/png"]);
}
