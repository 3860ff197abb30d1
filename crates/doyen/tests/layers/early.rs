//! Panics, errors and early responses of layers, in each place: the application's format, headers
//! and log line, and a rollback.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::Service;
use doyen::web::around::{BoxLayer, Slot};

use crate::kit::{App, Log, Work, app, request};

/// Why a test refuses.
#[derive(Debug, Problem)]
enum Refuse {
    /// The header asks for it.
    #[problem(conflict, code = "asked_for")]
    Asked,
}

/// Does what the header `x-do` says.
#[around]
async fn obey(request: Request, next: Next) -> Result<Response, Refuse> {
    let wanted = request.headers().get("x-do").cloned();
    let wanted = wanted.as_ref().and_then(|wanted| wanted.to_str().ok());
    match wanted {
        Some("panic before") => panic!("before"),
        Some("fail before") => return Err(Refuse::Asked),
        Some("answer before") => return Ok(teapot()),
        _ => {}
    }
    let response = next.run(request).await;
    match wanted {
        Some("panic after") => panic!("after"),
        Some("fail after") => Err(Refuse::Asked),
        Some("answer after") => Ok(teapot()),
        Some("hide an error") => Ok(Response::new("hidden".to_owned().into_bytes().into_body())),
        _ => Ok(response),
    }
}

trait IntoBody {
    fn into_body(self) -> doyen::web::Body;
}

impl IntoBody for Vec<u8> {
    fn into_body(self) -> doyen::web::Body {
        doyen::web::Body::whole(self)
    }
}

fn teapot() -> Response {
    let mut response = Response::new(b"tea".to_vec().into_body());
    *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
    response
}

/// Write something
#[post("/write", allow = anyone)]
async fn write(_work: Work, log: Arc<Log>) -> NoContent {
    log.note("handler");
    NoContent
}

/// Write something and fail
#[post("/fail", allow = anyone)]
async fn fail(_work: Work, log: Arc<Log>) -> Result<NoContent, Refuse> {
    log.note("handler");
    Err(Refuse::Asked)
}

/// Write something with a layer of its own
#[post("/own", allow = anyone, around = obey)]
async fn own(_work: Work, log: Arc<Log>) -> NoContent {
    log.note("handler");
    NoContent
}

/// The same layer in each place.
fn places() -> Vec<(&'static str, App)> {
    let list = Module::new("m").routes(routes![write, fail].around(obey));
    let module = Module::new("m").routes(routes![write, fail]).around(obey);
    let plain = || Module::new("m").routes(routes![write, fail]);
    let slot = |slot| {
        app(Service::builder()
            .module(plain())
            .layer(slot, BoxLayer::around(obey)))
    };
    vec![
        ("list", app(Service::builder().module(list))),
        ("module", app(Service::builder().module(module))),
        ("every route", slot(Slot::Route)),
        ("every request", slot(Slot::Request)),
    ]
}

async fn call(app: &App, path: &str, wish: &str) -> crate::kit::Answer {
    app.send(request("POST", path, &[("x-do", wish)], "")).await
}

#[tokio::test]
async fn a_panic_is_a_500_of_the_application_and_rolls_back() {
    for (place, app) in places() {
        let answer = call(&app, "/write", "panic before").await;
        let line = app.is_problem(&answer, 500, "internal");
        assert_eq!(line.cause.as_deref(), Some("panicked: before"), "{place}");
        assert_eq!(app.log.take(), [""; 0], "{place}");

        let answer = call(&app, "/write", "panic after").await;
        let line = app.is_problem(&answer, 500, "internal");
        assert_eq!(line.route.as_deref(), Some("/write"), "{place}");
        // Around the request the work is committed already.
        let end = if place == "every request" {
            "commit"
        } else {
            "rollback"
        };
        assert_eq!(app.log.take(), ["handler", end], "{place}");
    }
}

#[tokio::test]
async fn an_error_has_the_format_of_the_application_and_rolls_back() {
    for (place, app) in places() {
        let answer = call(&app, "/write", "fail before").await;
        app.is_problem(&answer, 409, "asked_for");
        assert_eq!(app.log.take(), [""; 0], "{place}");

        let answer = call(&app, "/write", "fail after").await;
        let line = app.is_problem(&answer, 409, "asked_for");
        assert_eq!(line.route.as_deref(), Some("/write"), "{place}");
        let end = if place == "every request" {
            "commit"
        } else {
            "rollback"
        };
        assert_eq!(app.log.take(), ["handler", end], "{place}");
    }
}

#[tokio::test]
async fn an_early_response_is_sent_with_the_headers_and_the_log_line_of_any_other() {
    for (place, app) in places() {
        let answer = call(&app, "/write", "answer before").await;
        let line = app.has_frame(&answer, 418);
        assert_eq!(
            (answer.text(), line.path.as_str()),
            ("tea", "/write"),
            "{place}"
        );
        assert_eq!(app.log.take(), [""; 0], "{place}");

        // A 4xx or 5xx from a layer around routes rolls back.
        let answer = call(&app, "/write", "answer after").await;
        app.has_frame(&answer, 418);
        let end = if place == "every request" {
            "commit"
        } else {
            "rollback"
        };
        assert_eq!(app.log.take(), ["handler", end], "{place}");
    }
}

#[tokio::test]
async fn what_a_failed_handler_wrote_is_rolled_back_even_if_a_layer_hides_the_error() {
    for (place, app) in places() {
        let answer = call(&app, "/fail", "hide an error").await;
        app.has_frame(&answer, 200);
        assert_eq!(answer.text(), "hidden", "{place}");
        assert_eq!(app.log.take(), ["handler", "rollback"], "{place}");
    }
}

#[tokio::test]
async fn a_layer_sees_the_problem_that_the_client_gets() {
    let seen = Arc::<Log>::default();
    let log = Arc::clone(&seen);
    let watch = move |request: Request, next: Next| {
        let log = Arc::clone(&log);
        async move {
            let response = next.run(request).await;
            let body = response.body().as_whole().cloned().unwrap_or_default();
            log.note(format!(
                "{} {}",
                response.status(),
                String::from_utf8_lossy(&body)
            ));
            response
        }
    };
    let module = Module::new("m").routes(routes![fail]).around(watch);
    let app = crate::kit::of(module);
    let answer = call(&app, "/fail", "").await;
    app.is_problem(&answer, 409, "asked_for");
    assert_eq!(seen.take(), [format!("409 Conflict {}", answer.text())]);
}

#[tokio::test]
async fn the_problems_of_a_layer_are_in_the_document_of_each_route() {
    let codes = |app: &App, path: &str| {
        let operation = app.service.operations().iter().find(|one| one.path == path);
        let problems = operation.unwrap().problems.iter();
        problems.map(|problem| problem.code).collect::<Vec<_>>()
    };
    for (place, app) in places() {
        assert!(codes(&app, "/write").contains(&"asked_for"), "{place}");
    }
    let app = crate::kit::of(Module::new("m").routes(routes![own]));
    assert!(codes(&app, "/own").contains(&"asked_for"));
    let answer = call(&app, "/own", "fail before").await;
    app.is_problem(&answer, 409, "asked_for");
}
