//! Bodies, forms and uploads.

use docs_src::fastapi::*;
use doyen_test::{Setup, TestApp};
use serde_json::{Value, json};

use super::{Chapters, FORM, invalid, sent};

fn foo() -> Value {
    json!({"name": "Foo", "description": "Some Foo", "price": 50.5, "tax": 0.3})
}

#[doyen_test::test(sqlite)]
async fn a_body(chapters: Chapters) {
    let app = chapters.with(body::module()).await;
    assert_eq!(sent(app.post("/items/").json(&foo())).await, foo());
    let least = json!({"name": "Foo", "price": 50.5});
    let all = json!({"name": "Foo", "price": 50.5, "description": null, "tax": null});
    assert_eq!(sent(app.post("/items/").json(&least)).await, all);
    let missing = invalid(app.post("/items/").json(&json!({"name": "Foo"}))).await;
    assert_eq!(missing, ["/price required"]);
    // FastAPI reads the text as a number, and ignores the unknown field.
    let other = json!({"name": "Foo", "price": "50.5", "size": 1});
    let wrong = invalid(app.post("/items/").json(&other)).await;
    assert_eq!(wrong, ["/price type", "/size unknown_field"]);
    let call = app.post("/items/").body("application/json", "{");
    call.send().await.expect_problem(400, "malformed_json");
    let call = app.post("/items/").body("text/plain", "{}");
    call.send().await.expect(415);

    let app = chapters.with(body_model::module()).await;
    let item = sent(app.post("/items/").json(&foo())).await;
    assert_eq!(item["price_with_tax"], 50.8);
    // The field is left out, as in FastAPI.
    let item = sent(app.post("/items/").json(&least)).await;
    assert_eq!(item.get("price_with_tax"), None);

    let app = chapters.with(body_path::module()).await;
    let item = sent(app.put("/items/123").json(&foo())).await;
    assert_eq!(item, json!({"item_id": 123, "item": foo()}));

    let app = chapters.with(body_path_query::module()).await;
    let item = sent(app.put("/items/123?q=somequery").json(&foo())).await;
    assert_eq!(
        item,
        json!({"item_id": 123, "item": foo(), "q": "somequery"})
    );
}

#[doyen_test::test(sqlite)]
async fn several_bodies(chapters: Chapters) {
    let user = json!({"username": "johndoe", "full_name": null});

    let app = chapters.with(body_optional::module()).await;
    let item = sent(app.put("/items/5?q=bar").json(&foo())).await;
    assert_eq!(item, json!({"item_id": 5, "q": "bar", "item": foo()}));
    let none = sent(app.put("/items/5")).await;
    assert_eq!(none, json!({"item_id": 5, "q": null, "item": null}));
    assert_eq!(invalid(app.put("/items/1001")).await, ["/item_id range"]);

    let app = chapters.with(body_two::module()).await;
    let both = json!({"item": foo(), "user": user});
    let item = sent(app.put("/items/5").json(&both)).await;
    assert_eq!(item, json!({"item_id": 5, "item": foo(), "user": user}));
    let missing = invalid(app.put("/items/5").json(&json!({}))).await;
    assert_eq!(missing, ["/item required", "/user required"]);

    let three = json!({"item": foo(), "user": user, "importance": 2});
    let app = chapters.with(body_single::module()).await;
    let item = sent(app.put("/items/5").json(&three)).await;
    assert_eq!(item["importance"], 2);

    let app = chapters.with(body_single_rule::module()).await;
    let item = sent(app.put("/items/5?q=a").json(&three)).await;
    assert_eq!((&item["importance"], &item["q"]), (&json!(2), &json!("a")));
    let zero = json!({"item": foo(), "user": user, "importance": 0});
    let wrong = invalid(app.put("/items/5").json(&zero)).await;
    assert_eq!(wrong, ["/importance range"]);

    let app = chapters.with(body_embed::module()).await;
    let item = sent(app.put("/items/5").json(&json!({"item": foo()}))).await;
    assert_eq!(item, json!({"item_id": 5, "item": foo()}));
    let wrong = invalid(app.put("/items/5").json(&json!({}))).await;
    assert_eq!(wrong, ["/item required"]);

    let app = chapters.with(body_fields::module()).await;
    let item = json!({"item": {"name": "Foo", "price": -3.0}});
    let wrong = invalid(app.put("/items/5").json(&item)).await;
    assert_eq!(wrong, ["/item/price range"]);
    let price = &app.document()["components"]["schemas"]["Item"]["properties"]["price"];
    assert_eq!(price["exclusiveMinimum"], 0);
    assert_eq!(price["description"], "The price must be greater than zero.");
}

/// Sends an item with these additional fields, and returns it from the response.
async fn put(app: &TestApp, more: Value) -> Value {
    let mut item = foo();
    let fields = more.as_object().cloned().unwrap();
    item.as_object_mut().unwrap().extend(fields);
    sent(app.put("/items/123").json(&item)).await["item"].clone()
}

#[doyen_test::test(sqlite)]
async fn nested_models_are_checked(chapters: Chapters) {
    let app = chapters.with(nested_any::module()).await;
    let item = put(&app, json!({"tags": ["tag1", 2, null]})).await;
    assert_eq!(item["tags"], json!(["tag1", 2, null]));
    assert_eq!(put(&app, json!({})).await["tags"], json!([]));

    let app = chapters.with(nested_list::module()).await;
    let item = put(&app, json!({"tags": ["b", "a", "b"]})).await;
    assert_eq!(item["tags"], json!(["b", "a", "b"]));
    let item = json!({"name": "Foo", "price": 1, "tags": [1]});
    let wrong = invalid(app.put("/items/1").json(&item)).await;
    assert_eq!(wrong, ["/tags/0 type"]);

    let app = chapters.with(nested_set::module()).await;
    let item = put(&app, json!({"tags": ["b", "a", "b"]})).await;
    assert_eq!(item["tags"], json!(["a", "b"]));

    let image = json!({"url": "http://example.com/baz.jpg", "name": "The Foo live"});
    let app = chapters.with(nested_model::module()).await;
    let item = put(&app, json!({"image": image})).await;
    assert_eq!(item["image"], image);

    let no_url =
        json!({"name": "Foo", "price": 1, "image": {"url": "not a valid url", "name": "x"}});
    let app = chapters.with(nested_url::module()).await;
    let item = put(&app, json!({"image": image})).await;
    assert_eq!(item["image"], image);
    let wrong = invalid(app.put("/items/1").json(&no_url)).await;
    assert_eq!(wrong, ["/image/url url"]);

    let app = chapters.with(nested_models::module()).await;
    let item = put(&app, json!({"images": [image, image]})).await;
    assert_eq!(item["images"], json!([image, image]));

    let app = chapters.with(nested_deep::module()).await;
    let item = json!({"name": "Foo", "price": 1, "images": [image]});
    let offer = json!({"name": "Special", "price": 38.6, "items": [item]});
    let offer = sent(app.post("/offers/").json(&offer)).await;
    assert_eq!(offer["items"][0]["images"][0], image);

    let app = chapters.with(nested_array::module()).await;
    let images = json!([image]);
    assert_eq!(
        sent(app.post("/images/multiple/").json(&images)).await,
        images
    );
    let wrong = invalid(app.post("/images/multiple/").json(&image)).await;
    assert_eq!(wrong, [" type"]);

    let app = chapters.with(nested_map::module()).await;
    let weights = json!({"2": 2.2, "3": 3.3});
    assert_eq!(
        sent(app.post("/index-weights/").json(&weights)).await,
        weights
    );
    let wrong = invalid(app.post("/index-weights/").json(&json!({"foo": 2.2}))).await;
    assert_eq!(wrong, ["/foo type"]);
}

#[doyen_test::test(sqlite)]
async fn examples_are_in_the_document(chapters: Chapters) {
    let all = json!({"name": "Foo", "description": "A very nice Item", "price": 35.4, "tax": 3.2});
    let schema = |app: &TestApp| app.document()["components"]["schemas"]["Item"].clone();

    let app = chapters.with(example_model::module()).await;
    assert_eq!(sent(app.put("/items/5").json(&all)).await["item"], all);
    assert_eq!(schema(&app)["examples"], json!([all]));

    let app = chapters.with(example_field::module()).await;
    assert_eq!(sent(app.put("/items/5").json(&all)).await["item"], all);
    assert_eq!(
        schema(&app)["properties"]["price"]["examples"],
        json!([35.4])
    );

    let app = chapters.with(example_several::module()).await;
    assert_eq!(sent(app.put("/items/5").json(&all)).await["item"], all);
    // FastAPI's examples include invalid ones.
    assert_eq!(
        schema(&app)["examples"],
        json!([all, {"name": "Bar", "price": 35.4}])
    );
}

#[doyen_test::test(sqlite)]
async fn other_types(chapters: Chapters) {
    let app = chapters.with(extra_types::module()).await;
    let path = "/items/ff97dd87-a4a5-4a12-b412-cde99f33e00e";
    let body = json!({
        "start_datetime": "2018-12-22T14:00:00+00:00",
        "end_datetime": "2018-12-24T15:00:00+00:00",
        "repeat_at": "15:30:00",
        "process_after": "PT300S",
    });
    let plan = sent(app.put(path).json(&body)).await;
    assert_eq!(
        plan,
        json!({
            "item_id": "ff97dd87-a4a5-4a12-b412-cde99f33e00e",
            "start_datetime": "2018-12-22T14:00:00.000000Z",
            "end_datetime": "2018-12-24T15:00:00.000000Z",
            "repeat_at": "15:30:00",
            "process_after": "PT5M",
            "start_process": "2018-12-22T14:05:00.000000Z",
            "duration": "P2DT55M",
        })
    );
    let wrong = invalid(app.put("/items/foo").json(&json!({"process_after": "P1M"}))).await;
    assert_eq!(
        wrong,
        [
            "/end_datetime required",
            "/item_id format",
            "/process_after format",
            "/start_datetime required"
        ]
    );

    let app = chapters.with(base64_bytes::module()).await;
    let data = json!({"description": "A file", "data": "SGVsbG8sIFdvcmxkIQ=="});
    assert_eq!(sent(app.post("/data-in-out").json(&data)).await, data);
    let wrong = json!({"description": "A file", "data": "SGVsbG8"});
    let wrong = invalid(app.post("/data-in-out").json(&wrong)).await;
    assert_eq!(wrong, ["/data format"]);

    let app = chapters.with(dataclasses::module()).await;
    let author = sent(
        app.post("/authors/foo/items/")
            .json(&json!([{"name": "Bar"}])),
    )
    .await;
    let items = json!([{"name": "Bar", "description": null}]);
    assert_eq!(author, json!({"name": "foo", "items": items}));
    assert_eq!(sent(app.get("/authors/")).await[0]["name"], "Breaters");

    let app = chapters.app(strict_content_type::app, &[]).await;
    let server = app.serve().await;
    let item = r#"{"name":"Foo","price":50.5}"#;
    let length = item.len();
    let untyped = format!(
        "POST /items/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{item}"
    );
    let answer = server.exchange(untyped).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(item),
        "{answer}"
    );
}

#[doyen_test::test(sqlite)]
async fn forms_are_read(chapters: Chapters) {
    let whole = "username=foo&password=secret";
    let app = chapters.with(request_forms::module()).await;
    let form = sent(app.post("/login/").body(FORM, whole)).await;
    assert_eq!(form, json!({"username": "foo"}));
    let wrong = invalid(app.post("/login/").body(FORM, "username=foo")).await;
    assert_eq!(wrong, ["/password required"]);

    let data = json!({"username": "foo", "password": "secret"});
    let app = chapters.with(form_models::module()).await;
    let more = format!("{whole}&extra=1");
    assert_eq!(
        sent(app.post("/login/").body(FORM, more.clone())).await,
        data
    );

    let app = chapters.with(form_models_forbid::module()).await;
    assert_eq!(sent(app.post("/login/").body(FORM, whole)).await, data);
    let wrong = invalid(app.post("/login/").body(FORM, more)).await;
    assert_eq!(wrong, ["/extra unknown_field"]);
}

/// A form with text files and fields.
fn form(files: &[(&str, &str)], fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, content) in files {
        form += &format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.txt\"\r\n\
             Content-Type: text/plain\r\n\r\n{content}\r\n"
        );
    }
    for (name, value) in fields {
        form +=
            &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    form + "--b--\r\n"
}

const MULTIPART: &str = "multipart/form-data; boundary=b";

#[doyen_test::test(sqlite)]
async fn files_are_uploaded(chapters: Chapters) {
    let folder = std::env::temp_dir().join(format!("doyen-chapters-{}", std::process::id()));
    let folder = folder.display().to_string();
    let with = async |module: doyen::web::Module| {
        let setup = Setup::new().module(module).set("files.folder", &folder);
        chapters.another(setup.set("jobs.work", "false")).await
    };
    let one = form(&[("file", "<file content>")], &[]);
    let none = form(&[], &[]);

    let app = with(upload_file::module()).await;
    let file = sent(app.post("/uploadfile/").body(MULTIPART, one.clone())).await;
    assert_eq!(file, json!({"filename": "file.txt", "file_size": 14}));
    let call = app.post("/uploadfile/").body(MULTIPART, none.clone());
    call.send().await.expect(422);

    let app = with(upload_raw::module()).await;
    let call = app.post("/files/").body("text/plain", "<file content>");
    assert_eq!(sent(call).await, json!({"file_size": 14}));

    let app = with(upload_optional::module()).await;
    let file = sent(app.post("/uploadfile/").body(MULTIPART, one)).await;
    assert_eq!(file, json!({"filename": "file.txt"}));
    let file = sent(app.post("/uploadfile/").body(MULTIPART, none)).await;
    assert_eq!(file, json!({"message": "No upload file sent"}));

    let app = with(upload_several::module()).await;
    let two = form(&[("files", "one"), ("files", "two")], &[]);
    let files = sent(app.post("/uploadfiles/").body(MULTIPART, two)).await;
    assert_eq!(files, json!({"filenames": ["files.txt", "files.txt"]}));
    let page = app.get("/").send().await.expect(200);
    assert!(page.text().contains("<form"), "{page}");

    let app = with(upload_form::module()).await;
    let both = form(&[("file", "<file content>")], &[("token", "foo")]);
    let file = sent(app.post("/files/").body(MULTIPART, both)).await;
    assert_eq!(
        file,
        json!({"file_size": 14, "token": "foo", "content_type": "text/plain"})
    );
}
