//! Layers that others have written.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen::prelude::*;
use doyen::web::Service;
use doyen::web::around::{BoxLayer, Slot};
use tower::timeout::TimeoutLayer;

use crate::kit::{App, Log, Work, app, request};

/// Never end
#[post("/hang", allow = anyone)]
async fn hang(_work: Work, log: Arc<Log>) -> NoContent {
    log.note("handler");
    std::future::pending().await
}

/// Echo a body
#[post("/echo", allow = anyone, body_limit = 8)]
async fn echo(body: doyen::web::extract::Bytes) -> Text {
    Text(String::from_utf8_lossy(&body).into_owned())
}

fn with(slot: Slot, layer: BoxLayer) -> App {
    let module = Module::new("m").routes(routes![hang, echo]);
    app(Service::builder().module(module).layer(slot, layer))
}

/// A timeout drops the future of the handler in the middle of its work. It is polled first.
#[tokio::test]
async fn the_error_of_a_tower_layer_is_a_problem_and_the_cancelled_work_is_rolled_back() {
    for slot in [Slot::Request, Slot::Route] {
        let app = with(
            slot,
            BoxLayer::tower(TimeoutLayer::new(Duration::from_millis(1))),
        );
        let answer = app.send(request("POST", "/hang", &[], "")).await;
        let line = app.is_problem(&answer, 500, "internal");
        assert_eq!(line.cause.as_deref(), Some("request timed out"), "{slot}");
        assert_eq!(line.route.as_deref(), Some("/hang"), "{slot}");
        assert_eq!(app.log.take(), ["handler", "rollback"], "{slot}");
    }
}

/// A layer that gives up on the handler and responds itself.
#[tokio::test]
async fn the_work_of_a_dropped_handler_is_rolled_back_even_if_the_layer_returns_a_success() {
    let give_up = |request: Request, next: Next| async move {
        let mut work = Box::pin(next.run(request));
        let is_pending = std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::future::Future::poll(work.as_mut(), cx).is_pending())
        });
        assert!(is_pending.await);
        drop(work);
        Response::default()
    };
    for slot in [Slot::Request, Slot::Route] {
        let app = with(slot, BoxLayer::around(give_up));
        let answer = app.send(request("POST", "/hang", &[], "")).await;
        app.has_frame(&answer, 200);
        assert_eq!(app.log.take(), ["handler", "rollback"], "{slot}");
    }
}

/// An application can say what the error of a layer means.
#[tokio::test]
async fn a_classifier_knows_the_error_of_a_tower_layer() {
    fn classify(
        error: &(dyn std::error::Error + 'static),
    ) -> Option<&'static doyen::domain::ProblemInfo> {
        error
            .is::<tower::timeout::error::Elapsed>()
            .then_some(&doyen::domain::problem::UNAVAILABLE)
    }
    let layer = BoxLayer::tower(TimeoutLayer::new(Duration::from_millis(1)));
    let module = Module::new("m").routes(routes![hang]);
    let builder = Service::builder().module(module).layer(Slot::Route, layer);
    let app = app(builder.classifier(classify));
    let answer = app.send(request("POST", "/hang", &[], "")).await;
    app.is_problem(&answer, 503, "unavailable");
}

/// Counts how often it is applied.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl<S> tower::Layer<S> for Counting {
    type Service = S;
    fn layer(&self, inner: S) -> S {
        self.0.fetch_add(1, Ordering::Relaxed);
        inner
    }
}

#[tokio::test]
async fn a_layer_is_applied_once_and_not_for_each_request() {
    for (slot, times) in [(Slot::Request, 1), (Slot::Route, 2)] {
        let layer = Counting::default();
        let app = with(slot, BoxLayer::tower(layer.clone()));
        for _ in 0..3 {
            assert_eq!(
                app.send(request("POST", "/echo", &[], "tea")).await.text(),
                "tea"
            );
        }
        assert_eq!(layer.0.load(Ordering::Relaxed), times, "{slot}");
    }
}

/// Replaces the request, and with it everything that belongs to it.
#[tokio::test]
async fn a_layer_that_drops_the_extensions_gets_an_error_that_says_so() {
    let forget = |request: Request, next: Next| async move {
        let body = request.into_body();
        next.run(http::Request::post("/echo").body(body).unwrap())
            .await
    };
    for slot in [Slot::Request, Slot::Route] {
        let app = with(slot, BoxLayer::around(forget));
        let answer = app.send(request("POST", "/echo", &[], "tea")).await;
        let line = app.is_problem(&answer, 500, "internal");
        assert!(line.cause.unwrap().contains("extensions"), "{slot}");
    }
}

/// A layer around the router can change where a request goes; the log has what was requested.
#[tokio::test]
async fn a_layer_around_the_router_can_rewrite_the_path() {
    let rewrite = |mut request: Request, next: Next| async move {
        *request.uri_mut() = "/echo".parse().unwrap();
        next.run(request).await
    };
    let app = with(Slot::Request, BoxLayer::around(rewrite));
    let answer = app.send(request("POST", "/old", &[], "tea")).await;
    let line = app.has_frame(&answer, 200);
    assert_eq!((answer.text(), line.path.as_str()), ("tea", "/old"));
    assert_eq!(line.route.as_deref(), Some("/echo"));
}

/// The limits of the route hold for a layer that reads the body, and behind it.
#[tokio::test]
async fn a_body_that_is_too_large_is_a_413_behind_a_layer_too() {
    let pass = |request: Request, next: Next| next.run(request);
    for slot in [Slot::Request, Slot::Route] {
        let app = with(slot, BoxLayer::around(pass));
        for stream in [false, true] {
            let body = if stream {
                let chunks = ["12345", "6789"].map(|part| {
                    Ok::<_, std::io::Error>(http_body::Frame::data(bytes::Bytes::from(part)))
                });
                let chunks = futures_util::stream::iter(chunks);
                doyen::web::Body::stream(http_body_util::StreamBody::new(chunks))
            } else {
                doyen::web::Body::whole("123456789")
            };
            let request = http::Request::post("/echo").body(body).unwrap();
            let answer = app.send(request).await;
            app.is_problem(&answer, 413, "body_too_large");
        }
    }
}

#[tokio::test]
async fn extractors_around_every_request_are_a_mistake_at_the_start() {
    async fn late(_log: Arc<Log>, request: Request, next: Next) -> Response {
        next.run(request).await
    }
    let layer = BoxLayer::around(late);
    let module = Module::new("m").routes(routes![echo]);
    let built = Service::builder()
        .module(module)
        .layer(Slot::Request, layer);
    let errors = built.build().unwrap_err();
    let text = errors[0].to_string();
    assert!(
        text.contains("late") && text.contains("Slot::Route"),
        "{text}"
    );
}

/// What a layer of a route injects is part of the graph.
#[tokio::test]
async fn a_missing_dependency_of_a_layer_is_found_at_the_start() {
    struct Missing;
    async fn needy(_missing: Arc<Missing>, request: Request, next: Next) -> Response {
        next.run(request).await
    }
    let module = Module::new("m").routes(routes![echo]).around(needy);
    let errors = Service::builder().module(module).build().unwrap_err();
    assert!(errors[0].to_string().contains("Missing"), "{errors:?}");
}
