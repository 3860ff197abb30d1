//! Where each layer runs, relative to the others and to the steps of the pipeline.

use std::sync::Arc;

use doyen::domain::{Credentials, Identify, Refusal};
use doyen::prelude::*;
use doyen::web::Service;
use doyen::web::around::{BoxLayer, Slot};
use doyen::web::extract::FromRequestParts;
use tower::util::{MapRequestLayer, MapResponseLayer};

use crate::kit::{App, Log, Work, app_with, request};

/// Notes when it begins and ends.
macro_rules! noting {
    ($($name:ident),*) => {$(
        #[around]
        async fn $name(log: Arc<Log>, request: Request, next: Next) -> Response {
            log.note(concat!(stringify!($name), " begins"));
            let response = next.run(request).await;
            log.note(format!("{} ends with {}", stringify!($name), response.status()));
            response
        }
    )*};
}

noting!(
    all_routes,
    module,
    list,
    second_of_list,
    route,
    second_of_route
);

struct Guard;

impl FromRequestParts for Guard {
    async fn from_request_parts(
        request: &mut doyen::web::Request,
    ) -> Result<Option<Self>, Refusal> {
        let log = request.parts.context.get::<Arc<Log>>().await?;
        log.note("guard");
        Ok(Some(Self))
    }
    fn describe(_: &mut doyen::schema::contract::Contract<'_>) {}
}

struct Extractor;

impl FromRequestParts for Extractor {
    async fn from_request_parts(
        request: &mut doyen::web::Request,
    ) -> Result<Option<Self>, Refusal> {
        let log = request.parts.context.get::<Arc<Log>>().await?;
        log.note("extractor");
        Ok(Some(Self))
    }
    fn describe(_: &mut doyen::schema::contract::Contract<'_>) {}
}

/// Write something
#[post("/write", allow = signed_in, around = route, around = second_of_route)]
async fn write(_extractor: Extractor, _work: Work, log: Arc<Log>) -> NoContent {
    log.note("handler");
    NoContent
}

/// Identifies every request with credentials.
struct Tokens(Arc<Log>);

#[async_trait::async_trait]
impl Identify for Tokens {
    async fn identify(&self, credentials: Credentials<'_>) -> Result<Option<Arc<Caller>>, Refusal> {
        self.0.note("identify");
        let caller = credentials.authorization.map(|_| Caller::new("ann"));
        Ok(caller.map(Arc::new))
    }
}

fn service() -> App {
    let log = Arc::<Log>::default();
    let routes = routes![write]
        .around(list)
        .around(second_of_list)
        .guard::<Guard>();
    let module = Module::new("m").routes(routes).around(module);
    let (before, after, around) = (Arc::clone(&log), Arc::clone(&log), Arc::clone(&log));
    let builder = Service::builder()
        .module(module)
        .identify(Arc::new(Tokens(Arc::clone(&log))))
        .layer(Slot::Route, BoxLayer::around(all_routes))
        .layer(
            Slot::Request,
            BoxLayer::around(move |request: Request, next: Next| {
                let log = Arc::clone(&around);
                async move {
                    log.note("application begins");
                    let response = next.run(request).await;
                    log.note(format!("application ends with {}", response.status()));
                    response
                }
            }),
        )
        .layer(
            Slot::Request,
            BoxLayer::tower(MapRequestLayer::new(move |request: Request| {
                before.note("tower begins");
                request
            })),
        )
        .layer(
            Slot::Request,
            BoxLayer::tower(MapResponseLayer::new(move |response: Response| {
                after.note("tower ends");
                response
            })),
        );
    app_with(log, builder)
}

#[tokio::test]
async fn layers_run_from_the_application_to_the_handler_and_back_around_the_commit() {
    let app = service();
    let answer = app
        .send(request(
            "POST",
            "/write",
            &[("authorization", "Bearer x")],
            "",
        ))
        .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        app.log.take(),
        [
            "application begins",
            "tower begins",
            "identify",
            "all_routes begins",
            "module begins",
            "list begins",
            "second_of_list begins",
            "route begins",
            "second_of_route begins",
            "guard",
            "extractor",
            "handler",
            "second_of_route ends with 204 No Content",
            "route ends with 204 No Content",
            "second_of_list ends with 204 No Content",
            "list ends with 204 No Content",
            "module ends with 204 No Content",
            "all_routes ends with 204 No Content",
            "commit",
            "tower ends",
            "application ends with 204 No Content",
        ]
    );
}

#[tokio::test]
async fn a_request_that_is_not_authorized_reaches_the_layers_of_the_application_only() {
    let app = service();
    let answer = app.send(request("POST", "/write", &[], "")).await;
    app.is_problem(&answer, 401, "unauthenticated");
    assert_eq!(
        app.log.take(),
        [
            "application begins",
            "tower begins",
            "tower ends",
            "application ends with 401 Unauthorized",
        ]
    );
    // Neither does one without a route, and it has its problem.
    let answer = app.get("/nothing").await;
    let line = app.is_problem(&answer, 404, "not_found");
    assert_eq!(line.route, None);
    assert_eq!(app.log.take().len(), 4);
}
