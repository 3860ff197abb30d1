//! Other statuses, one of several responses, headers and cookies.

use std::time::Duration;

use doyen::prelude::*;
use doyen::web::response::{CookieSpec, WithCookie, WithHeaders};

/// An item.
#[derive(Output)]
struct Item {
    id: u32,
    name: String,
}

/// Headers of an item.
#[derive(Output)]
struct ItemHeaders {
    /// The language of the name.
    x_language: String,
    x_hint: Option<String>,
}

/// The last item that was read.
enum LastItem {}

impl CookieSpec for LastItem {
    const NAME: &'static str = "last_item";
    const MAX_AGE: Option<Duration> = Some(Duration::from_secs(3600));
}

/// Start a task
#[post("/tasks", allow = anyone)]
async fn start() -> Status<202, Json<Item>> {
    Status(Json(Item {
        id: 1,
        name: "task".to_owned(),
    }))
}

/// Create an item, or return the one that exists
#[put("/items/{id}", allow = anyone)]
async fn put(id: u32) -> Either<Json<Item>, Status<201, Json<Item>>> {
    if id < 10 {
        Either::Left(Json(Item {
            id,
            name: "old".to_owned(),
        }))
    } else {
        Either::Right(Status(Json(Item {
            id,
            name: "new".to_owned(),
        })))
    }
}

/// Get an item with headers and a cookie
#[get("/items/{id}", allow = anyone)]
async fn show(id: u32) -> WithCookie<WithHeaders<Json<Item>, ItemHeaders>, LastItem> {
    let headers = ItemHeaders {
        x_language: "en".to_owned(),
        x_hint: None,
    };
    Json(Item {
        id,
        name: "tea".to_owned(),
    })
    .with_headers(headers)
    .with_cookie(SetCookie::new(id.to_string()))
}

/// A page in one of several forms.
#[derive(Responses)]
enum Page {
    Html(Html),
    Json(Json<Item>),
    Elsewhere(Redirect<307>),
}

/// Get a page
#[get("/pages/{form}", allow = anyone)]
async fn page(form: String) -> Page {
    match form.as_str() {
        "html" => Page::Html(Html("<h1>Tea</h1>".to_owned())),
        "json" => Page::Json(Json(Item {
            id: 1,
            name: "tea".to_owned(),
        })),
        _ => Page::Elsewhere(Redirect::temporary("/pages/html")),
    }
}

/// The module with responses.
pub fn module() -> Module {
    Module::new("responses").routes(routes![start, put, show, page])
}
