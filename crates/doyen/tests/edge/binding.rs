//! Values are read as the document describes them, and paths as RFC 3986 compares them.

use doyen::prelude::*;
use doyen::schema::{Info, document};
use doyen::web::{Body, Service};
use http::Request;
use serde_json::{Value, json};

use crate::kit::{Answer, expected, get, get_with, post, send, service};

/// Headers of a client.
#[derive(Input)]
struct Sent {
    #[input(default)]
    x_tags: Vec<String>,
    x_sizes: Option<Vec<u8>>,
    #[input(rename = "X_Exact_Name")]
    exact: Option<String>,
    #[validate(length(max = 3))]
    #[input(rename = "a_b")]
    underscored: Option<String>,
}

/// Get the headers
#[get("/sent", allow = anyone)]
async fn sent(Header(sent): Header<Sent>) -> Text {
    Text(format!(
        "{:?} {:?} {:?} {:?}",
        sent.x_tags, sent.x_sizes, sent.exact, sent.underscored
    ))
}

/// Cookies of a client.
#[derive(Input)]
struct Kept {
    theme: Option<String>,
    #[input(default)]
    recent: Vec<u32>,
}

/// Get the cookies
#[get("/kept", allow = anyone)]
async fn kept(Cookie(kept): Cookie<Kept>) -> Text {
    Text(format!("{:?} {:?}", kept.theme, kept.recent))
}

/// Get several things
#[get("/many/{ids}", allow = anyone)]
async fn many(ids: Vec<u32>) -> Text {
    Text(format!("{ids:?}"))
}

/// Get my profile
#[get("/p/me", allow = anyone)]
async fn me() -> Text {
    Text("me".to_owned())
}

/// Get a profile
#[get("/p/{name}", allow = anyone)]
async fn profile(name: String) -> Text {
    Text(format!("get {name}"))
}

/// Delete a profile
#[delete("/p/{name}", allow = anyone)]
async fn remove(name: String) -> Text {
    Text(format!("delete {name}"))
}

/// Get a letter
#[get("/größe/{name}/a~b", allow = anyone)]
async fn letter(name: String) -> Text {
    Text(name)
}

/// A colour.
#[derive(Debug, Input)]
enum Colour {
    Red,
}

/// A form of a page.
#[derive(Input)]
struct Order {
    #[validate(range(min = 1, max = 9))]
    size: Option<u32>,
    #[input(default = 5)]
    count: i64,
    colour: Option<Colour>,
    note: Option<String>,
    #[input(default)]
    gift: bool,
}

/// Send a form
#[post("/form", allow = anyone)]
async fn form(Form(order): Form<Order>) -> Text {
    Text(format!(
        "{:?} {} {:?} {:?} {}",
        order.size, order.count, order.colour, order.note, order.gift
    ))
}

/// A percentage.
#[derive(Input)]
struct Percent(#[validate(range(min = 0, max = 100))] u8);

/// Sizes in rows and columns.
#[derive(Input)]
struct Grid {
    #[validate(each(range(min = 1, max = 9)))]
    sizes: Vec<u8>,
    #[validate(each(each(range(min = -5))))]
    rows: Vec<Vec<i8>>,
}

/// Send a grid
#[post("/grid", allow = anyone)]
async fn grid(Json(grid): Json<Grid>) -> Text {
    Text(format!("{:?} {:?}", grid.sizes, grid.rows))
}

/// A filter.
#[derive(Input)]
struct Filter {
    #[validate(range(min = 1, max = 9))]
    size: Option<u32>,
    #[validate(range(min = -5))]
    low: Option<i8>,
    percent: Option<Percent>,
}

/// List things
#[get("/things", allow = anyone)]
async fn things(Query(filter): Query<Filter>, paging: Paging) -> Text {
    let percent = filter.percent.map(|percent| percent.0);
    Text(format!(
        "{:?} {:?} {percent:?} {}",
        filter.size, filter.low, paging.limit
    ))
}

fn shop() -> Service {
    service(routes![
        sent, kept, many, me, profile, remove, letter, form, grid, things
    ])
}

fn described(shop: &Service) -> Value {
    document(&Info::default(), shop.operations(), shop.components())
}

#[tokio::test]
async fn a_list_in_a_header_or_a_segment_is_separated_by_commas() {
    let shop = shop();
    let text = async |fields: &[(&str, &str)]| get_with(&shop, "/sent", fields).await;
    let read = text(&[("x-tags", "a, b ,,c"), ("x-tags", "d"), ("x-sizes", "1,2")]).await;
    assert_eq!(
        read.text(),
        r#"["a", "b", "c", "d"] Some([1, 2]) None None"#
    );
    let wrong = text(&[("x-sizes", "1,x,300")]).await;
    assert_eq!(
        wrong.failures(),
        expected(&[
            ("header", "/x-sizes/1", "type"),
            ("header", "/x-sizes/2", "range")
        ])
    );
    assert_eq!(get(&shop, "/many/1,2,3").await.text(), "[1, 2, 3]");
}

#[tokio::test]
async fn the_first_of_two_cookies_of_one_name_counts() {
    let shop = shop();
    let one = get_with(
        &shop,
        "/kept",
        &[("cookie", "theme=a; recent=1,2; theme=b")],
    )
    .await;
    assert_eq!(one.text(), r#"Some("a") [1, 2]"#);
    // HTTP/2 can send each cookie in a header of its own.
    let two = get_with(
        &shop,
        "/kept",
        &[("cookie", "theme=a"), ("cookie", "theme=b; recent=3")],
    );
    assert_eq!(two.await.text(), r#"Some("a") [3]"#);
    let parameters = &described(&shop)["paths"]["/kept"]["get"]["parameters"];
    let list = parameters
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "recent");
    assert_eq!(list.unwrap()["explode"], false);
}

#[tokio::test]
async fn a_renamed_header_has_exactly_that_name() {
    let shop = shop();
    let parameters = &described(&shop)["paths"]["/sent"]["get"]["parameters"];
    let names: Vec<&Value> = parameters
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["x-tags", "x-sizes", "X_Exact_Name", "a_b"]);
    let read = get_with(&shop, "/sent", &[("x_exact_name", "yes"), ("a_b", "abc")]).await;
    assert_eq!(read.text(), r#"[] None Some("yes") Some("abc")"#);
    let wrong = get_with(&shop, "/sent", &[("a_b", "abcd"), ("x-exact-name", "no")]).await;
    assert_eq!(wrong.failures(), expected(&[("header", "/a_b", "length")]));
}

#[tokio::test]
async fn the_method_selects_among_the_routes_of_a_path() {
    let shop = shop();
    let ask = async |method: &str, path: &str| -> Answer {
        let request = Request::builder().method(method).uri(path);
        send(&shop, request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask("GET", "/p/me").await.text(), "me");
    assert_eq!(ask("DELETE", "/p/me").await.text(), "delete me");
    for method in ["PUT", "OPTIONS"] {
        let allow = ask(method, "/p/me").await;
        assert_eq!(allow.header("allow"), Some("GET, DELETE, HEAD, OPTIONS"));
    }
}

#[tokio::test]
async fn a_path_is_compared_after_decoding() {
    let shop = shop();
    for (path, text) in [
        ("/%70/me", "me"),
        ("/%70/%6d%65", "me"),
        ("/p/a%2Fb", "get a/b"),
        ("/p/a%252Fb", "get a%2Fb"),
        ("/p%2Fme", ""),
        ("/gr%C3%B6%C3%9Fe/x/a%7Eb", "x"),
    ] {
        let answer = get(&shop, path).await;
        match text {
            "" => answer.is_problem(404, "not_found"),
            text => assert_eq!(answer.text(), text, "{path}"),
        }
    }
    get(&shop, "/p/%ff").await.is_problem(400, "malformed_path");
    get(&shop, "/p/%7").await.is_problem(400, "malformed_path");
}

#[tokio::test]
async fn an_optional_field_left_empty_in_a_form_is_absent() {
    let shop = shop();
    let media = "application/x-www-form-urlencoded";
    let empty = post(&shop, "/form", media, "size=&count=&colour=&note=&gift=").await;
    assert_eq!(empty.text(), r#"None 5 None Some("") false"#);
    let wrong = post(&shop, "/form", media, "size=x&count=+").await;
    assert_eq!(
        wrong.failures(),
        expected(&[("body", "/size", "type"), ("body", "/count", "type")])
    );
    // The query string has no empty inputs of a page: an empty number is an error.
    let query = get(&shop, "/things?size=").await;
    assert_eq!(query.failures(), expected(&[("query", "/size", "type")]));
}

#[tokio::test]
async fn a_number_out_of_range_gets_the_range_of_the_document() {
    let shop = shop();
    let query = "/things?limit=99999999999999999999&size=99999999999&low=-1000&percent=300";
    let answer = get(&shop, query).await.json();
    let found: Vec<Value> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["pointer"], one["code"], one["params"]]))
        .collect();
    assert_eq!(
        found,
        [
            json!(["/size", "range", {"min": 1, "max": 9}]),
            json!(["/low", "range", {"min": -5, "max": 127}]),
            json!(["/percent", "range", {"min": 0, "max": 100}]),
            json!(["/limit", "range", {"min": 1, "max": 100}]),
        ]
    );
}

#[tokio::test]
async fn an_item_out_of_range_gets_the_range_of_the_document() {
    let shop = shop();
    let body = r#"{"sizes": [3, 300, 0], "rows": [[1], [-1000, 200]]}"#;
    let answer = post(&shop, "/grid", "application/json", body).await.json();
    let found: Vec<Value> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["pointer"], one["message"], one["params"]]))
        .collect();
    assert_eq!(
        found,
        [
            json!(["/sizes/1", "must be at least 1 and at most 9", {"min": 1, "max": 9}]),
            json!(["/rows/1/0", "must be at least -5 and at most 127", {"min": -5, "max": 127}]),
            json!(["/rows/1/1", "must be at least -5 and at most 127", {"min": -5, "max": 127}]),
        ]
    );
}

#[tokio::test]
async fn an_unknown_parameter_is_named_as_such() {
    let shop = shop();
    let answer = get(&shop, "/things?colour=red").await.json();
    assert_eq!(
        answer["errors"][0]["message"],
        "is not a known parameter; known are size, low, percent, limit, cursor, page, per_page"
    );
}
