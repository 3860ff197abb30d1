//! Responses: statuses, headers, conditional requests, HEAD, OPTIONS, `fields=`, redirects,
//! streams, request ids.

use bytes::Bytes;
use doyen::prelude::*;
use doyen::web::{Body, Service};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::kit::{Answer, expected, get, get_with, send, service};

/// A thing with a version.
#[derive(Output)]
#[output(etag = version, location = place)]
struct Thing {
    id: u32,
    name: String,
    #[output(skip)]
    version: String,
}

impl Thing {
    fn place(&self) -> String {
        format!("/things/{}", self.id)
    }
}

fn thing(id: u32) -> Thing {
    Thing {
        id,
        name: "tea".into(),
        version: "7,a".into(),
    }
}

/// Show a thing.
#[get("/things/{id}", allow = anyone, sparse)]
async fn show(id: u32) -> Json<Thing> {
    Json(thing(id))
}

/// Make a thing.
#[post("/things", allow = anyone)]
async fn make() -> Created<Thing> {
    Created(thing(1))
}

/// Remove a thing.
#[delete("/things/{id}", allow = anyone)]
async fn remove(id: u32) -> NoContent {
    let _ = id;
    NoContent
}

/// Do it later.
#[post("/later", allow = anyone)]
async fn later() -> Accepted<Thing> {
    Accepted(thing(2))
}

/// A secret, shown once.
#[post("/secret", allow = anyone)]
async fn secret() -> NoStore<Thing> {
    NoStore(thing(3))
}

/// A thing whose header fields come from the client.
#[derive(Output)]
#[output(etag = version, location = place)]
struct Named {
    #[output(skip)]
    version: String,
    #[output(skip)]
    place: String,
    name: String,
}

/// A name.
#[derive(Input)]
struct Name {
    name: String,
}

/// Name a thing.
#[post("/named/{field}", allow = anyone)]
async fn named(field: String, Json(Name { name }): Json<Name>) -> Created<Named> {
    let (version, place) = match &*field {
        "version" => (name.clone(), "/x".to_owned()),
        _ => ("1".to_owned(), format!("/files/{name}")),
    };
    Created(Named {
        version,
        place,
        name,
    })
}

/// Go elsewhere.
#[get("/old/{kind}", allow = anyone)]
async fn old(kind: String) -> Redirect {
    match &*kind {
        "split" => Redirect::see_other("/things/1\r\nset-cookie: a=b"),
        _ => Redirect::see_other("/things/1"),
    }
}

/// Go elsewhere for now.
#[get("/old/busy", allow = anyone)]
async fn busy() -> Redirect<307> {
    Redirect::temporary("/things/1")
}

/// Go elsewhere from now on.
#[get("/old/moved", allow = anyone)]
async fn moved() -> Redirect<308> {
    Redirect::permanent("/things/1")
}

/// Some things.
#[get("/things", allow = anyone, sparse)]
async fn list(paging: Paging) -> Page<Thing> {
    Page {
        items: vec![thing(1), thing(2)],
        limit: paging.limit,
        next: Some(PageFrom::Cursor("abc".into())),
        prev: None,
        total: None,
    }
}

/// Bytes as they come.
#[get("/stream/{good}", allow = anyone)]
async fn stream(good: bool) -> Stream<doyen::web::response::Csv> {
    let last = if good {
        Ok(Bytes::from("two"))
    } else {
        Err(std::io::Error::other("the source failed"))
    };
    let chunks = [Ok(Bytes::from("one,")), last];
    Stream::new(futures_util::stream::iter(chunks))
}

/// A page.
#[get("/page", allow = anyone)]
async fn page() -> Html {
    Html("<p>hello</p>".into())
}

fn shop() -> Service {
    service(routes![
        show, make, remove, later, secret, named, old, busy, moved, list, stream, page
    ])
}

#[tokio::test]
async fn each_answer_has_its_status_and_header_fields() {
    let shop = shop();
    let empty = |request: http::request::Builder| request.body(Body::empty()).unwrap();
    let shown = get(&shop, "/things/5").await;
    assert_eq!(
        (shown.status, shown.json()),
        (200, json!({"id": 5, "name": "tea"}))
    );
    assert_eq!(shown.header("etag"), Some("\"7,a\""));
    assert_eq!(shown.header("cache-control"), Some("private, no-cache"));
    shown.is_guarded();
    let made = send(&shop, empty(Request::post("/things"))).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/things/1"))
    );
    let removed = send(&shop, empty(Request::delete("/things/1"))).await;
    assert_eq!((removed.status, removed.body.len()), (204, 0));
    assert_eq!(removed.header("content-type"), None);
    removed.is_guarded();
    assert_eq!(
        send(&shop, empty(Request::post("/later"))).await.status,
        202
    );
    let secret = send(&shop, empty(Request::post("/secret"))).await;
    assert_eq!(
        (secret.status, secret.header("cache-control")),
        (200, Some("no-store"))
    );
    assert_eq!(
        get(&shop, "/page").await.header("content-type"),
        Some("text/html; charset=utf-8")
    );
}

#[tokio::test]
async fn a_known_version_is_304_and_keeps_its_headers() {
    let shop = shop();
    for known in [
        "\"7,a\"",
        "W/\"7,a\"",
        "\"x\", \"7,a\"",
        "\"x\" , W/\"7,a\" , \"y\"",
        "*",
    ] {
        let answer = get_with(&shop, "/things/5", &[("if-none-match", known)]).await;
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{known}");
        assert_eq!(answer.header("etag"), Some("\"7,a\""));
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(answer.header("content-type"), None);
        answer.is_guarded();
    }
    for other in ["\"7\"", "7,a", "\"a\"", "\"7,a", "W/W/\"7,a\"", ""] {
        let answer = get_with(&shop, "/things/5", &[("if-none-match", other)]).await;
        assert_eq!(answer.status, 200, "{other}");
    }
    // Two headers are one list; a method that changes data is never a 304.
    let both = [("if-none-match", "\"x\""), ("if-none-match", "\"7,a\"")];
    assert_eq!(get_with(&shop, "/things/5", &both).await.status, 304);
    let unsafe_ = Request::post("/things").header("if-none-match", "*");
    assert_eq!(
        send(&shop, unsafe_.body(Body::empty()).unwrap())
            .await
            .status,
        201
    );
    // `*` matches any current representation (RFC 9110 section 13.1.2), even one without a version.
    // A list of tags never does, and an error is no representation.
    for (path, known, status) in [
        ("/things", "*", 304),
        ("/page", "*", 304),
        ("/nothing", "*", 404),
        ("/page", "\"7,a\"", 200),
    ] {
        let answer = get_with(&shop, path, &[("if-none-match", known)]).await;
        assert_eq!(answer.status, status, "{path} {known}");
    }
}

#[tokio::test]
async fn fields_picks_and_refuses() {
    let shop = shop();
    assert_eq!(
        get(&shop, "/things/5?fields=name").await.json(),
        json!({"name": "tea"})
    );
    assert_eq!(
        get(&shop, "/things/5?fields=name,id").await.json(),
        json!({"id": 5, "name": "tea"})
    );
    let page = get(&shop, "/things?fields=id&limit=2").await.json();
    assert_eq!(page["items"], json!([{"id": 1}, {"id": 2}]));
    assert_eq!(
        page["_links"]["next"]["href"],
        "/things?fields=id&limit=2&cursor=abc"
    );
    for (query, code) in [
        ("fields=version", "one_of"),
        ("fields=", "one_of"),
        ("fields=name,", "one_of"),
        ("fields=name,name", "unique"),
    ] {
        assert_eq!(
            get(&shop, &format!("/things/5?{query}")).await.failures(),
            expected(&[("query", "/fields", code)]),
            "{query}"
        );
    }
    let refused = get(&shop, "/stream/true?fields=a").await;
    assert_eq!(
        refused.failures(),
        expected(&[("query", "/fields", "unknown_parameter")])
    );
}

#[tokio::test]
async fn a_page_links_to_its_neighbours() {
    let answer = get(&shop(), "/things?limit=2").await;
    let page = answer.json();
    assert_eq!(
        page["page"],
        json!({"limit": 2, "next": "abc", "prev": null})
    );
    assert_eq!(
        answer.header("link"),
        Some(
            "</things?limit=2>; rel=\"self\", </things?limit=2>; rel=\"first\", </things?limit=2&cursor=abc>; rel=\"next\""
        )
    );
}

#[tokio::test]
async fn a_path_lists_its_methods() {
    let shop = shop();
    let ask = async |method: &str, path: &str| -> Answer {
        let request = Request::builder().method(method).uri(path);
        send(&shop, request.body(Body::empty()).unwrap()).await
    };
    let options = ask("OPTIONS", "/things/5").await;
    assert_eq!(
        (options.status, options.header("allow"), options.body.len()),
        (204, Some("GET, DELETE, HEAD, OPTIONS"), 0)
    );
    options.is_guarded();
    for method in ["PUT", "PATCH", "TRACE", "BREW", "get"] {
        let answer = ask(method, "/things/5").await;
        answer.is_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some("GET, DELETE, HEAD, OPTIONS"));
    }
    let no_get = ask("HEAD", "/later").await;
    assert_eq!(
        (no_get.status, no_get.header("allow"), no_get.body.len()),
        (405, Some("POST, OPTIONS"), 0)
    );
    for path in ["/", "/thing", "/things/", "/things/5/", "//things/5", "*"] {
        ask("GET", path).await.is_problem(404, "not_found");
    }
    let long = format!("/things/5?{}", "a".repeat(8 << 10));
    ask("GET", &long).await.is_problem(414, "uri_too_long");
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let shop = shop();
    for path in [
        "/things/5",
        "/things?limit=2",
        "/page",
        "/nothing",
        "/old/a",
    ] {
        let get = get_with(&shop, path, &[("x-request-id", "same")]).await;
        let head = Request::head(path).header("x-request-id", "same");
        let head = send(&shop, head.body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        let mut wanted = get.headers.clone();
        if !get.body.is_empty() {
            wanted.insert("content-length", get.body.len().into());
        }
        assert_eq!(head.headers, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_redirect_has_a_safe_location() {
    let shop = shop();
    for (kind, status) in [("moved", 308), ("busy", 307), ("other", 303)] {
        let answer = get(&shop, &format!("/old/{kind}")).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (status, Some("/things/1"))
        );
        answer.is_guarded();
    }
    // A target that would begin another header field is encoded.
    let split = get(&shop, "/old/split").await;
    assert_eq!(
        (split.status, split.header("location")),
        (303, Some("/things/1%0D%0Aset-cookie:%20a=b"))
    );
    assert_eq!(split.header("set-cookie"), None);
}

#[tokio::test]
async fn what_cannot_stand_in_a_header_field_is_encoded_or_a_fault() {
    let shop = shop();
    let named = async |field: &str, text: &str| {
        let body = json!({"name": text}).to_string();
        let request = Request::post(format!("/named/{field}"))
            .header("content-type", "application/json")
            .body(Body::whole(body))
            .unwrap();
        send(&shop, request).await
    };
    for (text, location) in [
        ("a b", "/files/a%20b"),
        ("\"a\"", "/files/%22a%22"),
        ("ü", "/files/%C3%BC"),
        ("a\r\nset-cookie: x", "/files/a%0D%0Aset-cookie:%20x"),
        ("a?b=c#d%20e", "/files/a?b=c#d%20e"),
    ] {
        let made = named("place", text).await;
        assert_eq!(
            (made.status, made.header("location")),
            (201, Some(location)),
            "{text:?}"
        );
        assert_eq!(made.header("set-cookie"), None);
    }
    for text in ["1", "7.3-a/b,c", "W/7"] {
        let made = named("version", text).await;
        assert_eq!(made.header("etag"), Some(&*format!("\"{text}\"")));
    }
    for text in ["a b", "a\"b", "ü", "a\nb", "\u{7f}"] {
        let made = named("version", text).await;
        made.is_problem(500, "internal");
        assert_eq!(made.header("etag"), None, "{text:?}");
    }
}

#[tokio::test]
async fn a_stream_arrives_in_chunks_and_aborts_on_failure() {
    let shop = shop();
    let good = get(&shop, "/stream/true").await;
    assert_eq!(
        (good.status, good.header("content-type"), good.text()),
        (200, Some("text/csv; charset=utf-8"), "one,two")
    );
    let request = Request::get("/stream/false").body(Body::empty()).unwrap();
    let broken = shop.handle(request, None).await;
    assert_eq!(broken.status(), 200);
    assert!(broken.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_valid_request_id_is_kept_and_any_other_replaced() {
    let shop = shop();
    let longest = "a".repeat(64);
    for id in ["1", "order-7.retry_2", &longest] {
        let answer = get_with(&shop, "/things/5", &[("x-request-id", id)]).await;
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
    let too_long = "a".repeat(65);
    for id in ["", "a b", "a\"b", "ü", "a/b", &too_long] {
        let answer = get_with(&shop, "/nothing", &[("x-request-id", id)]).await;
        let given = answer.header("x-request-id").unwrap().to_owned();
        assert!(given != id && given.len() == 32, "{id:?} gave {given:?}");
        assert_eq!(answer.json()["request_id"], given.as_str());
    }
    let (one, two) = (get(&shop, "/page").await, get(&shop, "/page").await);
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}
