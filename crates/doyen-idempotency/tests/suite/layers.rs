//! Layers of a route do not run for a replay; those of the application do.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};
use http::StatusCode;

use crate::app::{self, MIGRATIONS, Names, is_replayed, keyed, orders};

pub(crate) struct Layered(TestApp);

impl Subject for Layered {
    fn app() -> App {
        let runs = Arc::new(Runs::default());
        let seen = Arc::clone(&runs);
        App::new("shop")
            .migrations(MIGRATIONS)
            .plugin(Names)
            .provide(runs)
            .around(move |request: Request, next: Next| outermost(Arc::clone(&seen), request, next))
            .module(Module::new("layered").routes(routes![place]))
    }

    fn setup() -> Setup {
        app::setup()
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Layered {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// How often each layer has run.
#[derive(Default)]
struct Runs {
    route: AtomicU64,
    application: AtomicU64,
}

async fn outermost(runs: Arc<Runs>, request: Request, next: Next) -> Response {
    let run = runs.application.fetch_add(1, Ordering::Relaxed) + 1;
    let mut response = next.run(request).await;
    response.headers_mut().insert("x-application", run.into());
    response
}

/// The layer refused.
#[derive(Debug, doyen::domain::Problem)]
enum Refused {
    /// The request asks to be refused. Do not ask.
    #[problem(conflict, code = "refused_before")]
    Before,
}

#[around]
async fn of_route(runs: Arc<Runs>, request: Request, next: Next) -> Result<Response, Refused> {
    let run = runs.route.fetch_add(1, Ordering::Relaxed) + 1;
    if request.headers().contains_key("x-refuse") {
        return Err(Refused::Before);
    }
    let is_spoilt = request.headers().contains_key("x-spoil");
    let mut response = next.run(request).await;
    if is_spoilt {
        *response.status_mut() = StatusCode::BAD_GATEWAY;
    }
    response.headers_mut().insert("x-route", run.into());
    Ok(response)
}

/// Place an order
#[post("/layered", allow = signed_in, idempotent, around = of_route, hidden)]
async fn place(
    session: Session,
    Json(new): Json<app::NewOrder>,
) -> Result<Created<app::OrderView>, Unexpected> {
    Ok(Created(app::insert(&session, new.item).await?))
}

#[doyen_test::test]
async fn a_replay_skips_the_layers_of_the_route_and_keeps_their_headers(app: Layered) {
    let send = || keyed(&app, "/layered", "k", "tea").send();
    let first = send().await.expect(201);
    let again = send().await.expect(201);
    assert!(is_replayed(&again) && !is_replayed(&first));
    assert_eq!(again.json(), first.json());
    let seen = [&first, &again].map(|one| (one.header("x-application"), one.header("x-route")));
    assert_eq!(
        seen,
        [(Some("1"), Some("1")), (Some("2"), Some("1"))],
        "{again}"
    );
    let runs = app.inject::<Arc<Runs>>().await;
    assert_eq!(runs.route.load(Ordering::Relaxed), 1);
    assert_eq!(orders(&app).await, 1);
}

#[doyen_test::test]
async fn an_error_of_a_layer_releases_the_key(app: Layered) {
    let send = || keyed(&app, "/layered", "k", "tea");
    let refused = send().header("x-refuse", "1").send().await;
    refused.expect_problem(409, "refused_before");
    // The handler has succeeded, and the layer has made an error of it.
    let spoilt = send().header("x-spoil", "1").send().await.expect(502);
    assert!(!is_replayed(&spoilt));
    assert_eq!(orders(&app).await, 0, "rolled back");
    assert!(!is_replayed(&send().send().await.expect(201)));
    assert!(is_replayed(&send().send().await.expect(201)));
    assert_eq!(orders(&app).await, 1);
}
