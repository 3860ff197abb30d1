//! Responses of other statuses, with headers and cookies, one of several, and streams of items.

use std::time::Duration;

use doyen::prelude::*;
use doyen::schema::{Info, document};
use doyen::web::Service;
use doyen::web::response::{CookieSpec, Event, SameSite};
use futures_util::stream;
use serde_json::json;

use crate::kit::{Value, get, service};

/// An item for sale.
#[derive(Clone, Output)]
struct Item {
    name: String,
    price: Option<f64>,
    tags: Vec<String>,
}

fn item(name: &str) -> Item {
    Item {
        name: name.to_owned(),
        price: Some(0.5),
        tags: vec!["a".to_owned()],
    }
}

/// The theme of the pages.
enum Theme {}

impl CookieSpec for Theme {
    const NAME: &'static str = "theme";
    const DESCRIPTION: &'static str = "The chosen theme.";
    const MAX_AGE: Option<Duration> = Some(Duration::from_secs(60));
    const HTTP_ONLY: bool = false;
    const SECURE: bool = false;
}

enum Cart {}

impl CookieSpec for Cart {
    const NAME: &'static str = "__Host-cart";
    const SAME_SITE: SameSite = SameSite::Strict;
}

/// Headers of a listing.
#[derive(Output)]
struct Listing {
    /// Number of items.
    x_total: u32,
    x_hint: Option<String>,
    x_tag: Vec<String>,
}

/// Start a job
#[get("/accepted", allow = anyone)]
async fn accepted() -> Status<202, Json<Item>> {
    Status(Json(item("a")))
}

/// List with headers
#[get("/headers", allow = anyone)]
async fn headers() -> impl IntoResponse {
    let tags = vec!["one".to_owned(), "two".to_owned()];
    Json(vec![item("a")]).with_headers(Listing {
        x_total: 7,
        x_hint: None,
        x_tag: tags,
    })
}

/// Send a header that cannot be sent
#[get("/broken", allow = anyone)]
async fn broken() -> impl IntoResponse {
    let hint = Some("two\nlines".to_owned());
    NoContent.with_headers(Listing {
        x_total: 7,
        x_hint: hint,
        x_tag: Vec::new(),
    })
}

/// Set cookies
#[get("/cookies", allow = anyone)]
async fn cookies() -> impl IntoResponse {
    NoContent
        .with_cookie(SetCookie::<Theme>::new("dark%20blue"))
        .with_cookie(SetCookie::<Cart>::removed())
}

/// Set a cookie that is none
#[get("/bad-cookie", allow = anyone)]
async fn bad_cookie() -> impl IntoResponse {
    NoContent.with_cookie(SetCookie::<Theme>::new("dark; Domain=evil.example"))
}

/// Find or create
#[get("/either", allow = anyone)]
async fn either(
    #[query(default = false)] new: bool,
) -> Either<Json<Item>, Status<201, Json<Item>>> {
    if new {
        Either::Right(Status(Json(item("new"))))
    } else {
        Either::Left(Json(item("old")))
    }
}

/// One of three.
#[derive(Responses)]
enum Found {
    Item(Json<Item>),
    Moved(Redirect<308>),
    Plain(Status<203, Text>),
}

/// Find in one of three forms
#[get("/found", allow = anyone)]
async fn found(#[query] form: String) -> Found {
    match form.as_str() {
        "json" => Found::Item(Json(item("a"))),
        "text" => Found::Plain(Status(Text("a".to_owned()))),
        _ => Found::Moved(Redirect::permanent("/found?form=json")),
    }
}

/// Stream items
#[get("/lines", allow = anyone)]
async fn lines() -> JsonLines<Item> {
    JsonLines::all(stream::iter([item("a"), item("b\nc")]))
}

/// Export items
#[get("/csv", allow = anyone)]
async fn csv() -> CsvRows<Item> {
    let odd = Item {
        name: "say \"x\", then\ny".to_owned(),
        price: None,
        tags: Vec::new(),
    };
    CsvRows::all(stream::iter([item("a"), odd]))
}

/// Stream events
#[get("/events", allow = anyone)]
async fn events() -> Sse<Item> {
    let first = Event::new(item("a"))
        .name("added")
        .id("1")
        .retry(Duration::from_secs(3));
    Sse::all(stream::iter([first, Event::new(item("b"))]))
}

fn shop() -> Service {
    service(routes![
        accepted, headers, broken, cookies, bad_cookie, either, found, lines, csv, events
    ])
}

fn responses(service: &Service, path: &str) -> Value {
    let document = document(&Info::default(), service.operations(), service.components());
    document["paths"][path]["get"]["responses"].clone()
}

const ITEM: &str = "#/components/schemas/Item";

#[tokio::test]
async fn a_status_is_sent_and_described() {
    let shop = shop();
    let answer = get(&shop, "/accepted").await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.json()["name"], "a");
    let described = responses(&shop, "/accepted");
    assert_eq!(
        described["202"]["content"]["application/json"]["schema"]["$ref"],
        ITEM
    );
    assert!(described["200"].is_null());
}

#[tokio::test]
async fn the_fields_of_a_struct_are_headers() {
    let shop = shop();
    let answer = get(&shop, "/headers").await;
    assert_eq!(answer.header("x-total"), Some("7"));
    assert_eq!(answer.header("x-hint"), None);
    let tags: Vec<_> = answer.headers.get_all("x-tag").iter().collect();
    assert_eq!(tags, ["one", "two"]);
    assert_eq!(answer.json()[0]["name"], "a");
    let headers = responses(&shop, "/headers")["200"]["headers"].clone();
    assert_eq!(headers["x-total"]["description"], "Number of items.");
    assert_eq!(headers["x-total"]["schema"]["type"], "integer");
    assert_eq!(headers["x-hint"]["schema"]["type"], "string");
    get(&shop, "/broken").await.is_problem(500, "internal");
}

#[tokio::test]
async fn cookies_are_set_with_their_attributes() {
    let shop = shop();
    let answer = get(&shop, "/cookies").await;
    assert_eq!(answer.status, 204);
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(
        cookies,
        [
            "theme=dark%20blue; Path=/; Max-Age=60; SameSite=Lax",
            "__Host-cart=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict",
        ]
    );
    get(&shop, "/bad-cookie").await.is_problem(500, "internal");
    let header = responses(&shop, "/cookies")["204"]["headers"]["Set-Cookie"].clone();
    assert_eq!(
        header["description"],
        "Sets the cookie `theme`. The chosen theme. Sets the cookie `__Host-cart`."
    );
}

#[tokio::test]
async fn one_of_several_responses_is_sent_and_all_are_described() {
    let shop = shop();
    assert_eq!(get(&shop, "/either").await.status, 200);
    assert_eq!(get(&shop, "/either?new=1").await.status, 201);
    let described = responses(&shop, "/either");
    for status in ["200", "201"] {
        let content = &described[status]["content"]["application/json"];
        assert_eq!(content["schema"]["$ref"], ITEM, "{status}");
    }
    assert_eq!(get(&shop, "/found?form=json").await.json()["name"], "a");
    let answer = get(&shop, "/found?form=text").await;
    assert_eq!((answer.status, answer.text()), (203, "a"));
    let answer = get(&shop, "/found?form=x").await;
    assert_eq!(answer.status, 308);
    assert_eq!(answer.header("location"), Some("/found?form=json"));
    let described = responses(&shop, "/found");
    for status in ["200", "203", "308"] {
        assert!(described[status].is_object(), "{status}: {described:#}");
    }
}

#[tokio::test]
async fn items_are_lines_of_json() {
    let shop = shop();
    let answer = get(&shop, "/lines").await;
    assert_eq!(answer.header("content-type"), Some("application/jsonl"));
    let lines: Vec<Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["name"], "b\nc");
    let schema =
        responses(&shop, "/lines")["200"]["content"]["application/jsonl"]["schema"].clone();
    assert_eq!(schema["contentSchema"]["$ref"], ITEM);
}

#[tokio::test]
async fn items_are_rows_of_csv() {
    let shop = shop();
    let answer = get(&shop, "/csv").await;
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/csv; charset=utf-8")
    );
    assert_eq!(
        answer.text(),
        "name,price,tags\r\na,0.5,\"[\"\"a\"\"]\"\r\n\"say \"\"x\"\", then\ny\",,[]\r\n"
    );
    let described = responses(&shop, "/csv");
    assert_eq!(
        described["200"]["description"],
        "CSV with the columns `name`, `price`, `tags`."
    );
}

#[tokio::test]
async fn events_are_sent_and_described() {
    let shop = shop();
    let answer = get(&shop, "/events").await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    let text = answer.text();
    assert!(
        text.starts_with("event: added\nid: 1\nretry: 3000\ndata: {\"name\":\"a\""),
        "{text}"
    );
    assert_eq!(text.matches("\n\n").count(), 2, "{text}");
    let content = responses(&shop, "/events")["200"]["content"].clone();
    let schema = &content["text/event-stream"]["schema"];
    assert_eq!(schema["contentSchema"]["$ref"], ITEM);
    assert_eq!(schema["type"], json!("string"));
}
