//! Extractors: every one, with every invalid input, and all errors in one response.

use std::time::Duration;

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Body, Service};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::kit::{expected, finish, get, get_with, post, send, service};

/// An item of a shelf.
#[derive(Input)]
struct Item {
    #[validate(length(min = 1, max = 10))]
    name: String,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
}

/// Which ones.
#[derive(Input)]
struct Filter {
    #[validate(range(min = 1, max = 9))]
    #[input(default = 5)]
    size: u32,
    #[input(default)]
    tag: Vec<String>,
}

/// Who asks.
#[derive(Input)]
struct Asked {
    #[validate(length(max = 5))]
    x_shop_name: Option<String>,
}

#[derive(Input)]
struct TrackingCookie {
    #[validate(length(min = 3))]
    theme: Option<String>,
}

#[derive(Input)]
struct Change {
    name: Patch<String>,
    note: Patch<Option<String>>,
}

/// Put an item on a shelf.
#[post("/shelves/{shelf}/items/{slot}", allow = anyone)]
async fn put_item(
    shelf: u32,
    slot: u8,
    filter: Query<Filter>,
    asked: Header<Asked>,
    tracking_cookie: Cookie<TrackingCookie>,
    paging: Paging,
    Json(item): Json<Item>,
) -> Text {
    let filter = filter.into_inner();
    Text(format!(
        "{shelf} {slot} {} {:?} {:?} {:?} {} {} {}",
        filter.size,
        filter.tag,
        asked.0.x_shop_name,
        tracking_cookie.0.theme,
        paging.limit,
        item.name,
        item.quantity
    ))
}

/// Change an item.
#[patch("/items/{id}", allow = anyone)]
async fn change(id: u32, version: IfMatch, MergePatch(change): MergePatch<Change>) -> Text {
    let name = match change.name {
        Patch::Absent => "kept".to_owned(),
        Patch::Set(name) => name,
    };
    let note = match change.note {
        Patch::Absent => "kept".to_owned(),
        Patch::Set(None) => "cleared".to_owned(),
        Patch::Set(Some(note)) => note,
    };
    Text(format!("{id} {:?} {name} {note}", version.version()))
}

/// Send a form.
#[post("/form", allow = anyone)]
async fn form(Form(item): Form<Item>) -> Text {
    Text(format!("{} {}", item.name, item.quantity))
}

/// Send bytes.
#[post("/bytes", allow = anyone, body_limit = 8)]
async fn few(body: Bytes) -> Text {
    Text(body.len().to_string())
}

/// Send anything.
#[post("/raw", allow = anyone)]
async fn raw(request: Request<Body>) -> Text {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Text(format!(
        "{} {} {}",
        head.method,
        head.uri.path(),
        body.len()
    ))
}

#[derive(Input)]
struct Place {
    shelf: u32,
    #[validate(range(max = 9))]
    slot: u8,
}

/// Show a place.
#[get("/places/{shelf}/{slot}", allow = anyone)]
async fn place(Path(place): Path<Place>) -> Text {
    Text(format!("{} {}", place.shelf, place.slot))
}

#[derive(Clone, Inject)]
struct Greeter;

/// Greet.
#[get("/greet/{name}", allow = anyone)]
async fn greet(greeter: Greeter, _name: String, me: Option<Caller>) -> Text {
    let Greeter = greeter;
    Text(format!("{}", me.is_some()))
}

fn shop() -> Service {
    service(routes![put_item, change, form, few, raw, place, greet])
}

const JSON: &str = "application/json";

#[tokio::test]
async fn every_part_of_a_request_is_read() {
    let shop = shop();
    let request = Request::post("/shelves/7/items/3?size=2&tag=a&tag=b%20c&limit=50")
        .header("content-type", "application/json; charset=UTF-8")
        .header("x-shop-name", "corn")
        .header("cookie", "other=1; theme=dark")
        .body(Body::whole(r#"{"name": "tea", "quantity": 2}"#))
        .unwrap();
    let answer = send(&shop, request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.text(),
        r#"7 3 2 ["a", "b c"] Some("corn") Some("dark") 50 tea 2"#
    );
    assert_eq!(get(&shop, "/places/7/3").await.text(), "7 3");
    assert_eq!(get(&shop, "/greet/eve").await.text(), "false");
}

#[tokio::test]
async fn everything_wrong_in_every_part_is_one_answer() {
    let shop = shop();
    let request =
        Request::post("/shelves/x/items/300?size=12&tag=a&limit=0&colour=red&page=1&size=1")
            .header("content-type", JSON)
            .header("x-shop-name", "too long")
            .header("cookie", "theme=ab")
            .body(Body::whole(
                r#"{"name": "", "quantity": "two", "extra": 1}"#,
            ))
            .unwrap();
    let found = send(&shop, request).await.failures();
    let wanted = expected(&[
        ("query", "/colour", "unknown_parameter"),
        ("path", "/shelf", "type"),
        ("path", "/slot", "range"),
        ("query", "/size", "repeated"),
        ("header", "/x-shop-name", "length"),
        ("cookie", "/theme", "length"),
        ("query", "/limit", "range"),
        ("body", "/name", "length"),
        ("body", "/quantity", "type"),
        ("body", "/extra", "unknown_field"),
    ]);
    for one in &wanted {
        assert!(found.contains(one), "{one:?} is missing in {found:#?}");
    }
    let others: Vec<_> = found.iter().filter(|one| !wanted.contains(one)).collect();
    // `page` cannot be combined with `limit`: reported as well.
    assert!(
        others.iter().all(|(_, pointer, _)| pointer == "/page"),
        "{others:#?}"
    );
}

#[tokio::test]
async fn an_unknown_or_repeated_parameter_is_refused() {
    let shop = shop();
    let unknown = get(&shop, "/greet/eve?verbose=1").await;
    assert_eq!(
        unknown.failures(),
        expected(&[("query", "/verbose", "unknown_parameter")])
    );
    assert!(!unknown.text().contains("\"1\""));
    let path = "/shelves/1/items/1?limit=1&limit=2";
    let repeated = post(&shop, path, JSON, r#"{"name": "tea", "quantity": 1}"#).await;
    assert_eq!(
        repeated.failures(),
        expected(&[("query", "/limit", "repeated")])
    );
}

#[tokio::test]
async fn malformed_text_is_400_in_every_location() {
    let shop = shop();
    get(&shop, "/places/%zz/1")
        .await
        .is_problem(400, "malformed_path");
    get(&shop, "/places/%ff/1")
        .await
        .is_problem(400, "malformed_path");
    get(&shop, "/greet/eve?a=%f")
        .await
        .is_problem(400, "malformed_parameters");
    post(&shop, "/form", "application/x-www-form-urlencoded", "a=%zz")
        .await
        .is_problem(400, "malformed_parameters");
    post(&shop, "/shelves/1/items/1", JSON, "{")
        .await
        .is_problem(400, "malformed_json");
    post(
        &shop,
        "/shelves/1/items/1",
        JSON,
        r#"{"name": "a", "name": "b", "quantity": 1}"#,
    )
    .await
    .is_problem(400, "duplicate_key");
}

#[tokio::test]
async fn a_merge_patch_keeps_clears_and_sets() {
    let shop = shop();
    let patch = async |media: &str, tag: Option<&str>, body: &str| {
        let mut request = Request::patch("/items/4").header("content-type", media);
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        send(&shop, request.body(Body::whole(body.to_owned())).unwrap()).await
    };
    let merge = "application/merge-patch+json";
    assert_eq!(
        patch(merge, Some("\"7\""), r#"{"note": null}"#)
            .await
            .text(),
        "4 Some(7) kept cleared"
    );
    assert_eq!(
        patch(JSON, Some("*"), r#"{"name": "a", "note": "b"}"#)
            .await
            .text(),
        "4 None a b"
    );
    // A weak tag never matches; null is invalid where it is not allowed; no `If-Match` is a 428.
    assert_eq!(
        patch(merge, Some("W/\"7\""), "{}").await.text(),
        "4 Some(-1) kept kept"
    );
    assert_eq!(
        patch(merge, Some("\"7\""), r#"{"name": null}"#)
            .await
            .failures(),
        expected(&[("body", "/name", "null")])
    );
    patch(merge, None, "{}")
        .await
        .is_problem(428, "precondition_required");
}

#[tokio::test]
async fn forms_bytes_and_raw_requests_are_read() {
    let shop = shop();
    let media = "application/x-www-form-urlencoded";
    assert_eq!(
        post(&shop, "/form", media, "name=green+tea&quantity=2")
            .await
            .text(),
        "green tea 2"
    );
    let wrong = post(&shop, "/form", media, "quantity=2&quantity=3&b=1").await;
    let found = wrong.failures();
    for one in expected(&[
        ("body", "/name", "required"),
        ("body", "/quantity", "repeated"),
        ("body", "/b", "unknown_field"),
    ]) {
        assert!(found.contains(&one), "{found:#?}");
    }
    assert_eq!(
        post(&shop, "/bytes", "any/thing", "12345678").await.text(),
        "8"
    );
    assert_eq!(
        post(&shop, "/raw", "any/thing", "12").await.text(),
        "POST /raw 2"
    );
}

#[tokio::test]
async fn a_body_too_large_is_refused_whether_announced_or_not() {
    let shop = shop();
    post(&shop, "/bytes", "any/thing", "123456789")
        .await
        .is_problem(413, "body_too_large");
    let chunks = ["1234", "5678", "9"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk)));
    let request = Request::post("/bytes").body(streamed(chunks)).unwrap();
    send(&shop, request).await.is_problem(413, "body_too_large");
}

#[tokio::test]
async fn another_media_type_charset_or_coding_is_415() {
    let shop = shop();
    let path = "/shelves/1/items/1";
    let body = r#"{"name": "tea", "quantity": 1}"#;
    for media in [
        "text/plain",
        "",
        "application/jsonp",
        "application/json; charset=latin1",
        "application/json; charset=\"utf-16\"",
    ] {
        post(&shop, path, media, body)
            .await
            .is_problem(415, "unsupported_media_type");
    }
    let encoded = Request::post(path)
        .header("content-type", JSON)
        .header("content-encoding", "gzip")
        .body(Body::whole(body))
        .unwrap();
    send(&shop, encoded)
        .await
        .is_problem(415, "unsupported_media_type");
    for media in [
        "application/json",
        "Application/JSON; charset=\"utf-8\"",
        "application/json; charset=utf8",
        "application/json; charset=\"UTF8\"",
    ] {
        assert_eq!(post(&shop, path, media, body).await.status, 200, "{media}");
    }
}

#[tokio::test]
async fn a_late_body_is_408_and_an_incomplete_one_400() {
    let options = doyen::web::EdgeOptions {
        body_time: Duration::from_millis(50),
        ..Default::default()
    };
    let shop = finish(
        Service::builder()
            .options(options)
            .module(Module::new("t").routes(routes![few])),
    );
    let silent = Body::stream(http_body_util::StreamBody::new(
        futures_util::stream::pending::<Result<http_body::Frame<Bytes>, std::io::Error>>(),
    ));
    send(&shop, Request::post("/bytes").body(silent).unwrap())
        .await
        .is_problem(408, "body_timeout");
    let broken = streamed([
        Ok(Bytes::from("12")),
        Err(std::io::Error::other("the peer disconnected")),
    ]);
    send(&shop, Request::post("/bytes").body(broken).unwrap())
        .await
        .is_problem(400, "body_incomplete");
}

#[tokio::test]
async fn header_fields_that_are_not_text_are_refused() {
    let shop = shop();
    let request = Request::post("/shelves/1/items/1")
        .header("content-type", JSON)
        .header(
            "x-shop-name",
            http::HeaderValue::from_bytes(b"\xff").unwrap(),
        )
        .body(Body::whole(r#"{"name": "tea", "quantity": 1}"#))
        .unwrap();
    assert_eq!(send(&shop, request).await.status, 400);
    let two = get_with(&shop, "/greet/eve", &[("x-unknown", "not documented")]).await;
    assert_eq!(two.status, 200);
}

#[tokio::test]
async fn the_rejected_value_is_never_disclosed() {
    let shop = shop();
    let body = json!({"name": "secret-secret-secret", "quantity": "secret"}).to_string();
    let answer = post(&shop, "/shelves/1/items/1", JSON, &body).await;
    assert_eq!(answer.failures().len(), 2);
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

fn streamed<const N: usize>(chunks: [Result<Bytes, std::io::Error>; N]) -> Body {
    let frames = chunks.map(|chunk| chunk.map(http_body::Frame::data));
    Body::stream(http_body_util::StreamBody::new(futures_util::stream::iter(
        frames,
    )))
}
