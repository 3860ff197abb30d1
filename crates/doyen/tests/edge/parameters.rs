//! Parameters with an attribute: each place, alone and together, over HTTP and in the document.

use doyen::prelude::*;
use doyen::schema::{Info, document};
use doyen::web::{Body, Service};
use http::Request;
use serde_json::json;

use crate::kit::{Value, expected, finish, get, get_with, post, send, service};

/// An item for sale.
#[derive(Input, Output)]
struct Item {
    name: String,
    price: f64,
}

/// A buyer.
#[derive(Input, Output)]
struct Buyer {
    username: String,
}

/// List items
#[get("/items", allow = anyone)]
async fn list(
    /// Word in the name.
    #[query]
    q: Option<String>,
    #[query(default)] skip: u32,
    /// Maximum number of items.
    #[query(default = 10, range(min = 1, max = 100))]
    limit: u32,
    #[query(rename = "item-query", length(min = 3), deprecated)] item_query: Option<String>,
    #[query(default)] tag: Vec<String>,
    #[query(hidden)] debug: Option<bool>,
    #[query(default = "newest", pattern = "^(newest|oldest)$", example = "oldest")] order: String,
) -> Text {
    Text(format!(
        "{q:?} {skip} {limit} {item_query:?} {tag:?} {debug:?} {order}"
    ))
}

/// Read headers and cookies
#[get("/who", allow = anyone)]
async fn who(
    #[header] x_token: String,
    #[header(rename = "X_Exact")] exact: Option<String>,
    #[cookie] ads_id: Option<String>,
    #[header(default)] accept_language: Vec<String>,
) -> Text {
    Text(format!(
        "{x_token} {exact:?} {ads_id:?} {accept_language:?}"
    ))
}

/// Update an item
#[put("/items/{item-id}", allow = anyone)]
async fn update(
    /// Number of the item.
    #[path(rename = "item-id", range(min = 0, max = 1000))]
    item_id: i64,
    #[body] item: Item,
    #[query] q: Option<String>,
    #[body] user: Option<Buyer>,
    #[body(range(min = 1))] importance: u8,
) -> Text {
    let user = user.map(|user| user.username);
    Text(format!(
        "{item_id} {} {q:?} {user:?} {importance}",
        item.name
    ))
}

/// Embed a single body
#[post("/embedded", allow = anyone)]
async fn embedded(#[body] item: Item) -> Json<Item> {
    Json(item)
}

/// Log in by a form
#[post("/login", allow = anyone)]
async fn login(#[form(length(min = 1))] username: String, #[form] password: String) -> Text {
    Text(format!("{username} {}", password.len()))
}

/// Take a body or none
#[post("/maybe", allow = anyone)]
async fn maybe(#[query] q: Option<u8>, item: Option<Json<Item>>) -> Text {
    Text(format!("{q:?} {:?}", item.map(|item| item.0.name)))
}

/// Read the rest of a path
#[get("/files/{*file_path}", allow = anyone)]
async fn file(
    /// Path of the file.
    file_path: String,
) -> Text {
    Text(file_path)
}

fn shop() -> Service {
    service(routes![list, who, update, embedded, login, maybe, file])
}

fn described(service: &Service) -> Value {
    let info = Info::default();
    document(&info, service.operations(), service.components())
}

fn parameter<'a>(document: &'a Value, path: &str, name: &str) -> &'a Value {
    let all = document["paths"][path]["get"]["parameters"].as_array();
    let found = all.and_then(|all| all.iter().find(|one| one["name"] == name));
    found.unwrap_or(&Value::Null)
}

#[tokio::test]
async fn a_query_parameter_has_a_default_rules_and_a_name() {
    let shop = shop();
    let answer = get(&shop, "/items").await;
    assert_eq!(answer.text(), "None 0 10 None [] None newest");
    let path = "/items?q=x&skip=5&limit=100&item-query=abc&tag=a&tag=b&debug=on&order=oldest";
    let answer = get(&shop, path).await;
    assert_eq!(
        answer.text(),
        r#"Some("x") 5 100 Some("abc") ["a", "b"] Some(true) oldest"#
    );
    let answer = get(
        &shop,
        "/items?limit=0&item-query=ab&skip=x&order=no&item_query=abc",
    )
    .await;
    assert_eq!(
        answer.failures(),
        expected(&[
            ("query", "/item_query", "unknown_parameter"),
            ("query", "/skip", "type"),
            ("query", "/limit", "range"),
            ("query", "/item-query", "length"),
            ("query", "/order", "pattern"),
        ])
    );
}

#[test]
fn the_document_has_the_same_parameters_except_hidden_ones() {
    let document = described(&shop());
    let limit = parameter(&document, "/items", "limit");
    assert_eq!(limit["in"], "query");
    assert_eq!(limit["required"], false);
    assert_eq!(limit["description"], "Maximum number of items.");
    for (keyword, value) in [("default", 10), ("minimum", 1), ("maximum", 100)] {
        assert_eq!(limit["schema"][keyword], value, "{limit:#}");
    }
    assert_eq!(
        parameter(&document, "/items", "item-query")["deprecated"],
        true
    );
    let order = parameter(&document, "/items", "order");
    assert_eq!(order["schema"]["default"], "newest");
    assert_eq!(order["schema"]["examples"], json!(["oldest"]));
    assert!(parameter(&document, "/items", "debug").is_null());
    assert!(!document.to_string().contains("debug"));
    assert_eq!(parameter(&document, "/who", "x-token")["required"], true);
    assert_eq!(parameter(&document, "/who", "X_Exact")["in"], "header");
    assert_eq!(parameter(&document, "/who", "ads_id")["in"], "cookie");
    let file = parameter(&document, "/files/{file_path}", "file_path");
    assert_eq!(file["description"], "Path of the file.");
}

#[tokio::test]
async fn headers_and_cookies_are_read_by_name() {
    let shop = shop();
    let headers = [
        ("x-token", "t"),
        ("x_exact", "e"),
        ("cookie", "ads_id=7; other=1"),
        ("accept-language", "de, en"),
    ];
    let answer = get_with(&shop, "/who", &headers).await;
    assert_eq!(answer.text(), r#"t Some("e") Some("7") ["de", "en"]"#);
    let answer = get(&shop, "/who").await;
    assert_eq!(
        answer.failures(),
        expected(&[("header", "/x-token", "required")])
    );
}

async fn put(service: &Service, path: &str, body: Value) -> crate::kit::Answer {
    let request = Request::put(path).header("content-type", "application/json");
    send(
        service,
        request.body(Body::whole(body.to_string())).unwrap(),
    )
    .await
}

#[tokio::test]
async fn body_parts_are_members_of_one_object() {
    let shop = shop();
    let item = json!({"name": "Foo", "price": 42.0});
    let body = json!({"item": item, "user": {"username": "dave"}, "importance": 5});
    let answer = put(&shop, "/items/5?q=x", body).await;
    assert_eq!(answer.text(), r#"5 Foo Some("x") Some("dave") 5"#);
    let answer = put(&shop, "/items/5", json!({"item": item, "importance": 1})).await;
    assert_eq!(answer.text(), "5 Foo None None 1");
    let body = json!({"item": {"name": "Foo"}, "importance": 0, "more": 1});
    let answer = put(&shop, "/items/-1", body).await;
    assert_eq!(
        answer.failures(),
        expected(&[
            ("path", "/item-id", "range"),
            ("body", "/more", "unknown_field"),
            ("body", "/item/price", "required"),
            ("body", "/importance", "range"),
        ])
    );
    let answer = post(
        &shop,
        "/embedded",
        "application/json",
        r#"{"name": "a", "price": 1}"#,
    )
    .await;
    assert_eq!(answer.status, 422);
    let answer = post(
        &shop,
        "/embedded",
        "application/json",
        &json!({"item": item}).to_string(),
    )
    .await;
    assert_eq!(answer.json(), item);
}

#[test]
fn body_parts_are_described_as_one_object() {
    let document = described(&shop());
    let content = &document["paths"]["/items/{item-id}"]["put"]["requestBody"]["content"];
    let schema = &content["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["item", "importance"]));
    assert_eq!(
        schema["properties"]["item"]["$ref"],
        "#/components/schemas/ItemInput"
    );
    assert_eq!(schema["properties"]["importance"]["minimum"], 1);
    assert_eq!(schema["additionalProperties"], false);
    // Generated structs are no components.
    let names: Vec<&String> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert!(
        names.iter().all(|name| !name.starts_with("__")),
        "{names:?}"
    );
}

#[tokio::test]
async fn form_fields_are_parameters() {
    let shop = shop();
    let form = "application/x-www-form-urlencoded";
    let answer = post(&shop, "/login", form, "username=ada&password=secret").await;
    assert_eq!(answer.text(), "ada 6");
    let answer = post(&shop, "/login", form, "username=").await;
    assert_eq!(
        answer.failures(),
        expected(&[
            ("body", "/username", "length"),
            ("body", "/password", "required")
        ])
    );
}

#[tokio::test]
async fn an_optional_body_may_be_missing_empty_or_null() {
    let shop = shop();
    let request = Request::post("/maybe?q=1").body(Body::empty()).unwrap();
    assert_eq!(send(&shop, request).await.text(), "Some(1) None");
    for (body, read) in [
        ("", "None None"),
        ("null", "None None"),
        (r#"{"name": "a", "price": 1}"#, r#"None Some("a")"#),
    ] {
        assert_eq!(
            post(&shop, "/maybe", "application/json", body).await.text(),
            read,
            "{body:?}"
        );
    }
    // A body is never dropped: a wrong one is refused.
    post(&shop, "/maybe", "application/json", "{")
        .await
        .is_problem(400, "malformed_json");
    post(&shop, "/maybe", "text/plain", "a")
        .await
        .is_problem(415, "unsupported_media_type");
    assert_eq!(
        post(&shop, "/maybe", "application/json", "{}").await.status,
        422
    );
    let document = described(&shop);
    let body = &document["paths"]["/maybe"]["post"]["requestBody"];
    assert_eq!(body["required"], false);
}

#[tokio::test]
async fn the_rest_of_a_path_is_one_parameter() {
    let shop = shop();
    assert_eq!(
        get(&shop, "/files/home/john%20doe/a.txt").await.text(),
        "home/john doe/a.txt"
    );
    assert_eq!(get(&shop, "/files/").await.status, 404);
}

/// The article does not exist.
#[derive(Debug, Problem)]
#[problem(not_found, code = "no_article")]
struct NoArticle;

/// An article that exists.
struct Article {
    id: u32,
}

/// Articles with a smaller number exist.
struct Articles(u32);

#[extractor]
async fn article(
    /// Number of the article.
    #[path]
    id: u32,
    #[query(default = false)] drafts: bool,
    articles: std::sync::Arc<Articles>,
) -> Result<Article, NoArticle> {
    if id < articles.0 || drafts {
        Ok(Article { id })
    } else {
        Err(NoArticle)
    }
}

/// An article and who reads it.
struct Reading(u32, String);

#[extractor]
async fn reading(article: Article, #[header] x_reader: String) -> Reading {
    Reading(article.id, x_reader)
}

/// Get an article
#[get("/articles/{id}", allow = anyone)]
async fn show_article(article: Article) -> Text {
    Text(article.id.to_string())
}

/// Read a page of an article
#[get("/articles/{id}/pages/{page}", allow = anyone)]
async fn show_page(reading: Reading, page: u8, #[query] q: Option<String>) -> Text {
    Text(format!("{} {} {page} {q:?}", reading.0, reading.1))
}

fn library() -> Service {
    let module = Module::new("t").routes(routes![show_article, show_page]);
    let articles = std::sync::Arc::new(Articles(10));
    finish(Service::builder().module(module.provide(articles)))
}

#[tokio::test]
async fn an_extractor_reads_path_query_and_injected_values() {
    let library = library();
    assert_eq!(get(&library, "/articles/9").await.text(), "9");
    get(&library, "/articles/10")
        .await
        .is_problem(404, "no_article");
    assert_eq!(get(&library, "/articles/10?drafts=1").await.text(), "10");
    let answer = get(&library, "/articles/x?drafts=maybe").await;
    assert_eq!(
        answer.failures(),
        expected(&[("path", "/id", "type"), ("query", "/drafts", "type")])
    );
    let answer = get_with(&library, "/articles/3/pages/2?q=a", &[("x-reader", "ada")]).await;
    assert_eq!(answer.text(), r#"3 ada 2 Some("a")"#);
    // Failures of an extractor and of the handler are one list.
    let answer = get(&library, "/articles/3/pages/x").await;
    assert_eq!(
        answer.failures(),
        expected(&[
            ("header", "/x-reader", "required"),
            ("path", "/page", "type")
        ])
    );
}

#[test]
fn an_extractor_describes_its_parameters_and_problems() {
    let document = described(&library());
    let path = "/articles/{id}/pages/{page}";
    let id = parameter(&document, path, "id");
    assert_eq!(
        (&id["in"], &id["description"]),
        (&json!("path"), &json!("Number of the article."))
    );
    assert_eq!(parameter(&document, path, "x-reader")["in"], "header");
    assert_eq!(
        parameter(&document, path, "drafts")["schema"]["default"],
        false
    );
    assert!(document["paths"][path]["get"]["responses"]["404"].is_object());
}

/// Reads another name.
#[get("/lost/{number}", allow = anyone)]
async fn lost(article: Article) -> Text {
    Text(article.id.to_string())
}

#[test]
fn a_path_that_no_extractor_reads_is_a_mistake_at_the_start() {
    let articles = std::sync::Arc::new(Articles(10));
    let module = Module::new("t").routes(routes![lost]).provide(articles);
    let errors = Service::builder()
        .module(module)
        .build()
        .expect_err("it is refused");
    let text = errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        text.contains("GET /lost/{number}") && text.contains("number"),
        "{text}"
    );
}
