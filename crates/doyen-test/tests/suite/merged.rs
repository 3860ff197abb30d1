//! Responses with one status are one response in the document, and each of them passes.

use std::ops::Deref;

use doyen::domain::Refusal;
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Answer, Contract};
use doyen::web::extract::Bytes;
use doyen::web::response::Csv;
use doyen::web::{Body, Parts, Response};
use doyen_test::{Subject, TestApp};
use serde_json::{Value, json};

pub struct Library(TestApp);

impl Subject for Library {
    fn app() -> App {
        let routes = routes![book, cover, lost, export, moved, found, store, relay];
        App::new("library").module(Module::new("library").routes(routes))
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Library {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// A book.
#[derive(Output)]
#[output(etag = version)]
struct Book {
    title: String,
    #[output(skip)]
    version: i64,
}

/// A book that is on loan.
#[derive(Output)]
struct Loan {
    until: String,
}

/// A book as JSON or text, a loan, or nothing: all with 200.
enum Either {
    Book(Book),
    Loan(Loan),
    Text(String),
    Nothing,
}

impl IntoResponse for Either {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        match self {
            Self::Book(book) => Json(book).into_response(parts),
            Self::Loan(loan) => Json(loan).into_response(parts),
            Self::Text(text) => Text(text).into_response(parts),
            Self::Nothing => Ok(Response::new(Body::empty())),
        }
    }
    fn describe(contract: &mut Contract<'_>) {
        Json::<Book>::describe(contract);
        Json::<Loan>::describe(contract);
        Text::describe(contract);
        let nothing = Answer::empty(200, "Nothing.");
        contract.operation.answers.push(nothing);
    }
}

#[get("/books/{id}", allow = anyone)]
async fn book(id: u32) -> Either {
    match id {
        0 => Either::Book(Book {
            title: "Emma".into(),
            version: 1,
        }),
        1 => Either::Loan(Loan {
            until: "tomorrow".into(),
        }),
        2 => Either::Text("Emma".into()),
        _ => Either::Nothing,
    }
}

/// A response of the handler itself, of any status and media type.
#[get("/covers/{status}", allow = anyone)]
async fn cover(status: u16) -> Response {
    let response = http::Response::builder().status(status);
    let response = response.header("content-type", "image/png");
    response.body(Body::whole("png")).unwrap()
}

/// A page or a problem, both with 404.
struct Page404;

impl IntoResponse for Page404 {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = Html("<p>lost</p>".into()).into_response(parts)?;
        *response.status_mut() = http::StatusCode::NOT_FOUND;
        Ok(response)
    }
    fn describe(contract: &mut Contract<'_>) {
        let page = Answer::with_body(404, "A page.", "text/html", Schema::of("string"));
        contract.operation.answers.push(page);
    }
}

#[derive(Debug, Problem)]
enum Find {
    /// The book is lost. Look for another one.
    #[problem(not_found, code = "lost")]
    Lost,
}

#[get("/lost/{page}", allow = anyone)]
async fn lost(page: bool) -> Result<Page404, Find> {
    if page { Ok(Page404) } else { Err(Find::Lost) }
}

#[get("/export", allow = anyone)]
async fn export() -> Stream<Csv> {
    let rows = ["title\n", "Emma\n"].map(|row| Ok::<_, std::io::Error>(Bytes::from(row)));
    Stream::new(futures_util::stream::iter(rows))
}

#[get("/moved", allow = anyone)]
async fn moved() -> Redirect<308> {
    Redirect::permanent("/books/1")
}

#[get("/found", allow = anyone)]
async fn found() -> Redirect {
    Redirect::see_other("/books/1")
}

#[post("/store", allow = anyone)]
async fn store(bytes: Bytes) -> Text {
    Text(bytes.len().to_string())
}

#[post("/relay", allow = anyone)]
async fn relay(request: http::Request<Body>) -> Text {
    Text(request.method().to_string())
}

#[doyen_test::test(sqlite)]
async fn every_response_of_one_status_passes(library: Library) {
    for id in 0..4 {
        library.get(format!("/books/{id}")).send().await.expect(200);
    }
    let all = library.document();
    let response = &all["paths"]["/books/{id}"]["get"]["responses"]["200"];
    let media: Vec<&String> = response["content"].as_object().unwrap().keys().collect();
    assert_eq!(media, ["application/json", "text/plain"]);
    let either = &response["content"]["application/json"]["schema"]["anyOf"];
    assert_eq!(either.as_array().map(Vec::len), Some(2), "{response:#}");
    // Only a book has a version.
    assert_eq!(response["headers"]["ETag"]["required"], json!(false));
}

#[doyen_test::test(sqlite)]
async fn a_page_and_a_problem_of_one_status_pass(library: Library) {
    library.get("/lost/true").send().await.expect(404);
    let problem = library.get("/lost/false").send().await;
    problem.expect_problem(404, "lost");
    let all = library.document();
    let response = &all["paths"]["/lost/{page}"]["get"]["responses"]["404"];
    let media: Vec<&String> = response["content"].as_object().unwrap().keys().collect();
    assert_eq!(media, ["application/problem+json", "text/html"]);
}

#[doyen_test::test(sqlite)]
async fn a_response_that_the_handler_builds_can_be_anything(library: Library) {
    for status in [200, 203, 404, 418] {
        let cover = library.get(format!("/covers/{status}")).send().await;
        cover.expect(status);
    }
    let all = library.document();
    let responses = &all["paths"]["/covers/{status}"]["get"]["responses"];
    assert_eq!(
        responses["default"]["content"],
        json!({"*/*": {"schema": {}}})
    );
    assert_eq!(responses["200"], Value::Null);
}

#[doyen_test::test(sqlite)]
async fn a_stream_and_a_redirect_are_documented_by_their_types(library: Library) {
    library.get("/export").send().await.expect(200);
    library.get("/moved").send().await.expect(308);
    library.get("/found").send().await.expect(303);
    let all = library.document();
    let responses = |path: &str| all["paths"][path]["get"]["responses"].clone();
    let csv = &responses("/export")["200"]["content"];
    assert_eq!(
        csv.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["text/csv"]
    );
    for (path, status) in [("/moved", "308"), ("/found", "303")] {
        let responses = responses(path);
        let redirects = responses.as_object().unwrap().keys();
        let redirects: Vec<&String> = redirects.filter(|status| status.starts_with('3')).collect();
        assert_eq!(redirects, [status]);
    }
}

#[doyen_test::test(sqlite)]
async fn a_raw_body_is_optional_and_of_any_type(library: Library) {
    for path in ["/store", "/relay"] {
        library.post(path).send().await.expect(200);
        let png = library.post(path).body("image/png", "png");
        png.send().await.expect(200);
        let all = library.document();
        assert_eq!(
            all["paths"][path]["post"]["requestBody"],
            json!({"required": false, "content": {"*/*": {"schema": {}}}})
        );
    }
}
