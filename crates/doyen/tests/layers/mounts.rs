//! Other services below a path.

use std::sync::Arc;

use axum::routing::{get, post};
use doyen::domain::{Caller, Credentials, Identify, Refusal};
use doyen::prelude::*;
use doyen::web::{Peer, Service};

use crate::kit::{App, app, of, request};

/// An axum application.
fn legacy() -> axum::Router {
    axum::Router::new()
        .route("/", get(|| async { "root" }))
        .route("/echo", post(|body: String| async move { body }))
        .route(
            "/where",
            get(|uri: http::Uri| async move { uri.to_string() }),
        )
        .route(
            "/who",
            get(|request: axum::extract::Request| async move {
                let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
                let caller = request.extensions().get::<Arc<Caller>>();
                let id = request.headers().get("x-request-id").cloned();
                format!("{:?} {:?} {:?}", peer, caller.map(|one| &*one.subject), id)
            }),
        )
        .route(
            "/boom",
            get(|| async {
                if true {
                    panic!("boom")
                }
            }),
        )
}

/// Get the special one
#[get("/special", allow = anyone)]
async fn special() -> Text {
    Text("special".to_owned())
}

struct Tokens;

#[async_trait::async_trait]
impl Identify for Tokens {
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
        Ok(credentials
            .authorization
            .map(|_| Arc::new(Caller::new("ann"))))
    }
}

fn mounted() -> App {
    let open = Route::mount("/old", legacy()).allow(anyone).body_limit(8);
    let closed = Route::mount("/closed/{tenant}", legacy()).allow(signed_in);
    let module = Module::new("m")
        .routes(routes![special].at("/old"))
        .route(open)
        .route(closed);
    app(Service::builder().module(module).identify(Arc::new(Tokens)))
}

#[tokio::test]
async fn a_mount_gets_every_path_and_method_below_it_without_the_prefix() {
    let app = mounted();
    for path in ["/old", "/old/"] {
        let answer = app.get(path).await;
        let line = app.has_frame(&answer, 200);
        assert_eq!(
            (answer.text(), line.route.as_deref()),
            ("root", Some("/old"))
        );
    }
    let answer = app.get("/old/where?a=%2F&a=2").await;
    assert_eq!(answer.text(), "/where?a=%2F&a=2");
    let answer = app.send(request("POST", "/old/echo", &[], "tea")).await;
    assert_eq!(answer.text(), "tea");
    // Its own responses stay as they are.
    assert_eq!(app.get("/old/nothing").await.status, 404);
    assert_eq!(
        app.send(request("PUT", "/old/echo", &[], "")).await.status,
        405
    );
    assert_eq!(app.get("/older").await.status, 404);
    // A route below it goes first, for its method.
    assert_eq!(app.get("/old/special").await.text(), "special");
    assert_eq!(
        app.send(request("DELETE", "/old/special", &[], ""))
            .await
            .status,
        404
    );
    let answer = app.send(request("HEAD", "/old/where", &[], "")).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn the_policies_of_a_mount_hold_before_the_service_is_called() {
    let app = mounted();
    let answer = app.get("/closed/7/where").await;
    app.is_problem(&answer, 401, "unauthenticated");
    let known = [
        ("authorization", "Bearer x"),
        ("x-request-id", "abcdefgh-1"),
    ];
    let answer = app.send(request("GET", "/closed/7/who", &known, "")).await;
    let line = app.has_frame(&answer, 200);
    assert_eq!(line.user.as_deref(), Some("ann"));
    assert_eq!(
        answer.text(),
        "Some(192.0.2.7:4711) Some(\"ann\") Some(\"abcdefgh-1\")"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let answer = app
        .send(request("GET", "/closed/7/where", &known, ""))
        .await;
    assert_eq!(answer.text(), "/where");
    // A client that sends more than the mount takes is cut off.
    let chunks = ["12345", "6789"]
        .map(|part| Ok::<_, std::io::Error>(http_body::Frame::data(bytes::Bytes::from(part))));
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(chunks));
    let large = http::Request::post("/old/echo").body(doyen::web::Body::stream(body));
    assert_eq!(app.send(large.unwrap()).await.status, 413);
}

#[tokio::test]
async fn a_panic_of_a_mounted_service_is_a_problem_of_the_application() {
    let app = mounted();
    let answer = app.get("/old/boom").await;
    let line = app.is_problem(&answer, 500, "internal");
    assert_eq!(line.cause.as_deref(), Some("panicked: boom"));
}

#[tokio::test]
async fn a_mount_without_an_access_policy_does_not_start() {
    let module = Module::new("m").route(Route::mount("/old", legacy()));
    let errors = Service::builder().module(module).build().unwrap_err();
    let text = errors[0].to_string();
    assert!(
        text.contains("/old") && text.contains("access policy"),
        "{text}"
    );
}

/// Another application of Doyen, with its own document and its own errors.
#[tokio::test]
async fn another_application_is_mounted_with_its_own_routes_and_problems() {
    let inner = of(Module::new("inner").routes(routes![special]));
    let mount = Route::mount("/inner", inner.service.clone()).allow(anyone);
    let outer = of(Module::new("outer").route(mount));
    let answer = outer.get("/inner/special").await;
    outer.has_frame(&answer, 200);
    assert_eq!(answer.text(), "special");
    // Both logs have the client and the same id.
    let id = answer.header("x-request-id").unwrap().to_owned();
    let line = inner.line();
    assert_eq!((line.path.as_str(), line.request_id), ("/special", id));
    assert_eq!(line.client, Some("192.0.2.7".parse().unwrap()));
    let answer = outer.get("/inner/nothing").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["instance"], "/nothing");
    assert_eq!(inner.service.operations().len(), 1);
    assert!(outer.service.operations()[0].hidden);
}

#[tokio::test]
async fn layers_and_guards_surround_a_mount_like_any_route() {
    let deny = |_: Request, _: Next| async {
        let mut response = Response::default();
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        response
    };
    let mount = Route::mount("/old", legacy()).allow(anyone).around(deny);
    let app = of(Module::new("m").route(mount));
    let answer = app.get("/old/where").await;
    app.has_frame(&answer, 418);
}
