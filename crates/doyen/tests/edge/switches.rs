//! Every switch of `Strictness`: on and off, for the application and for a route, in the responses
//! and in the document.

use doyen::prelude::*;
use doyen::schema::{Info, document};
use doyen::web::{Body, EdgeOptions, Service};
use http::Request;
use serde_json::json;

use crate::kit::{Answer, Value, expected, finish, get, post, send};

/// Where it is.
#[derive(Clone, Copy, Input, Output)]
enum Shelf {
    Left,
    Right,
}

/// A part of an item.
#[derive(Input, Output)]
struct Part {
    size: u8,
}

/// An item.
#[derive(Input, Output)]
struct Item {
    name: String,
    #[input(default = 1)]
    #[validate(range(min = 1))]
    count: u32,
    #[input(default = false)]
    sold: bool,
    price: Option<f64>,
    shelf: Option<Shelf>,
    #[input(default)]
    parts: Vec<Part>,
}

/// A filter that ignores other parameters.
#[derive(Input)]
#[input(allow_unknown)]
struct Filter {
    tag: Option<String>,
}

/// List items
#[get("/filtered", allow = anyone, strictness = STRICT)]
async fn filtered(#[query] page: Option<u32>, Query(filter): Query<Filter>) -> Text {
    Text(format!("{:?} {:?}", filter.tag, page))
}

const OPEN: Strictness = Strictness::new().unknown_names(UnknownNames::Ignore);
const LOOSE: Strictness = Strictness::new().loose_scalars(true);
const STRICT: Strictness = Strictness::new()
    .unknown_names(UnknownNames::Refuse)
    .loose_scalars(false)
    .missing_content_type(false)
    .empty_as_absent(false)
    .redirect_slashes(false);

/// Take an item by the rules of the application
#[post("/usual", allow = anyone)]
async fn usual(#[query(default = false)] dry: bool, Json(item): Json<Item>) -> Json<Item> {
    let _ = dry;
    Json(item)
}

/// Take an item by strict rules
#[post("/strict", allow = anyone, strictness = STRICT)]
async fn strict(#[query(default = false)] dry: bool, Json(item): Json<Item>) -> Json<Item> {
    let _ = dry;
    Json(item)
}

/// Take an item with unknown names
#[post("/open", allow = anyone, strictness = OPEN)]
async fn open(#[query(default = false)] dry: bool, Json(item): Json<Item>) -> Json<Item> {
    let _ = dry;
    Json(item)
}

/// Take an item with other scalars
#[post("/loose", allow = anyone, strictness = LOOSE)]
async fn loose(#[query(default = false)] dry: bool, Json(item): Json<Item>) -> Json<Item> {
    let _ = dry;
    Json(item)
}

/// Take a form
#[post("/form", allow = anyone)]
async fn form(#[form] name: String, #[form(default = "none")] note: String) -> Text {
    Text(format!("{name} {note}"))
}

/// Take a form with empty fields
#[post("/empty", allow = anyone, strictness = Strictness::new().empty_as_absent(true))]
async fn empty(#[form] name: String, #[form(default = "none")] note: String) -> Text {
    Text(format!("{name} {note}"))
}

/// Show a folder
#[get("/folders/{id}/", allow = anyone)]
async fn folder(id: u32, #[query] q: Option<String>) -> Text {
    Text(format!("{id} {q:?}"))
}

fn of(strictness: Strictness) -> Service {
    let options = EdgeOptions {
        strictness,
        ..EdgeOptions::default()
    };
    let module = Module::new("t").routes(routes![
        usual, strict, open, loose, form, empty, folder, filtered
    ]);
    finish(Service::builder().module(module).options(options))
}

async fn send_json(service: &Service, path: &str, body: Value) -> Answer {
    post(service, path, "application/json", &body.to_string()).await
}

fn unknown() -> Value {
    json!({"name": "a", "colour": "red", "parts": [{"size": 1, "more": 2}]})
}

#[tokio::test]
async fn unknown_names_are_refused_or_ignored() {
    // Of the application, of a route that ignores them, and of a route that refuses them.
    let service = of(Strictness::new());
    let answer = send_json(&service, "/usual?q=1", unknown()).await;
    assert_eq!(
        answer.failures(),
        expected(&[
            ("query", "/q", "unknown_parameter"),
            ("body", "/colour", "unknown_field"),
            ("body", "/parts/0/more", "unknown_field"),
        ])
    );
    let answer = send_json(&service, "/open?q=1", unknown()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["parts"], json!([{"size": 1}]));
    let service = of(OPEN);
    assert_eq!(
        send_json(&service, "/usual?q=1", unknown()).await.status,
        200
    );
    assert_eq!(
        send_json(&service, "/strict?q=1", unknown())
            .await
            .failures()
            .len(),
        3
    );
    // A filter that ignores them opens the query of its route, and only that.
    let answer = get(&service, "/filtered?tag=a&page=2&utm_source=mail").await;
    assert_eq!(answer.text(), r#"Some("a") Some(2)"#, "{answer:?}");
    let answer = get(&service, "/filtered?tag=a&page=two&utm_source=mail").await;
    assert_eq!(answer.failures(), expected(&[("query", "/page", "type")]));
    let service = of(Strictness::new().unknown_names(UnknownNames::Warn));
    assert_eq!(
        send_json(&service, "/usual?q=1", unknown()).await.status,
        200
    );
}

#[tokio::test]
async fn scalars_have_one_form_or_many() {
    let body = json!({"name": "a", "count": "05", "sold": "True", "price": "1.5"});
    let refused = [
        ("query", "/dry", "type"),
        ("body", "/count", "type"),
        ("body", "/sold", "type"),
        ("body", "/price", "type"),
    ];
    let service = of(Strictness::new());
    let answer = send_json(&service, "/usual?dry=True", body.clone()).await;
    assert_eq!(answer.failures(), expected(&refused));
    let answer = send_json(&service, "/loose?dry=True", body.clone()).await;
    let read = answer.json();
    assert_eq!(
        (&read["count"], &read["sold"], &read["price"]),
        (&json!(5), &json!(true), &json!(1.5))
    );
    // A rule holds for every form, and other text stays wrong.
    let answer = send_json(
        &service,
        "/loose",
        json!({"name": 5, "count": "0", "sold": "maybe"}),
    )
    .await;
    let wrong = [
        ("body", "/name", "type"),
        ("body", "/count", "range"),
        ("body", "/sold", "type"),
    ];
    assert_eq!(answer.failures(), expected(&wrong));
    let service = of(LOOSE);
    assert_eq!(
        send_json(&service, "/usual?dry=True", body.clone())
            .await
            .status,
        200
    );
    let answer = send_json(&service, "/strict?dry=True", body).await;
    assert_eq!(answer.failures(), expected(&refused));
}

#[tokio::test]
async fn a_missing_content_type_is_refused_or_accepted() {
    let body = || Body::whole(r#"{"name": "a"}"#);
    let untyped = |path: &str| Request::post(path).body(body()).unwrap();
    let service = of(Strictness::new());
    send(&service, untyped("/usual"))
        .await
        .is_problem(415, "unsupported_media_type");
    let service = of(Strictness::new().missing_content_type(true));
    assert_eq!(send(&service, untyped("/usual")).await.status, 200);
    send(&service, untyped("/strict"))
        .await
        .is_problem(415, "unsupported_media_type");
    // Only a missing one: another one is wrong.
    let answer = post(&service, "/usual", "text/plain", "{}").await;
    answer.is_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn an_empty_field_of_a_form_is_text_or_absent() {
    let media = "application/x-www-form-urlencoded";
    let service = of(Strictness::new());
    assert_eq!(
        post(&service, "/form", media, "name=&note=").await.text(),
        " "
    );
    assert_eq!(
        post(&service, "/empty", media, "name=a&note=").await.text(),
        "a none"
    );
    let answer = post(&service, "/empty", media, "name=&note=").await;
    assert_eq!(
        answer.failures(),
        expected(&[("body", "/name", "required")])
    );
    let service = of(Strictness::new().empty_as_absent(true));
    assert_eq!(
        post(&service, "/form", media, "name=a&note=").await.text(),
        "a none"
    );
}

#[tokio::test]
async fn a_slash_at_the_end_is_exact_or_redirected() {
    let service = of(Strictness::new());
    get(&service, "/folders/7")
        .await
        .is_problem(404, "not_found");
    let service = of(Strictness::new().redirect_slashes(true));
    let answer = get(&service, "/folders/7?q=a%20b").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("/folders/7/?q=a%20b"))
    );
    assert_eq!(
        get(&service, "/folders/7/?q=a%20b").await.text(),
        r#"7 Some("a b")"#
    );
    let request = Request::post("/usual/").body(Body::empty()).unwrap();
    assert_eq!(
        send(&service, request).await.header("location"),
        Some("/usual")
    );
    // Not where the route says otherwise, not for another method, and never to another host.
    let request = Request::post("/strict/").body(Body::empty()).unwrap();
    send(&service, request).await.is_problem(404, "not_found");
    assert_eq!(get(&service, "/usual/").await.status, 404);
    assert_eq!(get(&service, "//folders/7").await.status, 404);
}

fn described(service: &Service) -> Value {
    document(&Info::default(), service.operations(), service.components())
}

fn body_of(document: &Value, path: &str) -> Value {
    let body = &document["paths"][path]["post"]["requestBody"]["content"];
    let reference = body["application/json"]["schema"]["$ref"].as_str().unwrap();
    let pointer = reference.strip_prefix('#').unwrap();
    document.pointer(pointer).unwrap().clone()
}

#[test]
fn the_document_describes_what_each_route_accepts() {
    let document = described(&of(Strictness::new()));
    for (path, is_open, count) in [
        ("/usual", false, json!("integer")),
        ("/strict", false, json!("integer")),
        ("/open", true, json!("integer")),
        ("/loose", false, json!(["integer", "string"])),
    ] {
        let schema = body_of(&document, path);
        assert_eq!(
            schema.get("additionalProperties").is_none(),
            is_open,
            "{path}"
        );
        assert_eq!(schema["properties"]["count"]["type"], count, "{path}");
        let parameters = &document["paths"][path]["post"]["parameters"];
        let is_loose = parameters[0]["schema"]["type"] != "boolean";
        assert_eq!(is_loose, path == "/loose", "{path}");
    }
    // A string is the same everywhere, and needs no second component.
    let names: Vec<&String> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    let shelves = names
        .iter()
        .filter(|name| name.starts_with("Shelf"))
        .count();
    assert_eq!(shelves, 1, "{names:?}");
    assert!(names.iter().any(|name| *name == "ItemOpen"), "{names:?}");

    let document = described(&of(OPEN));
    assert!(
        body_of(&document, "/usual")
            .get("additionalProperties")
            .is_none()
    );
    assert_eq!(body_of(&document, "/strict")["additionalProperties"], false);
    // What is sent keeps its promise.
    let output = &document["components"]["schemas"]["Item"];
    assert_eq!(output["additionalProperties"], false);
}
