//! Functions around handlers, `tower` layers and guards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doyen::domain::problem::Plain;
use doyen::domain::{Place, ProblemInfo, Refusal};
use doyen::prelude::*;
use doyen::schema::Schema;
use doyen::schema::contract::{Contract, Parameter};
use doyen::web::extract::FromRequestParts;
use doyen::web::http::HeaderValue;

/// Counts the orders. Provided by the application, injected as `Arc<Counter>`.
#[derive(Default)]
pub struct Counter(AtomicU64);

/// Adds the number of the order to each response.
#[around]
async fn numbered(counter: Arc<Counter>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let number = counter.0.fetch_add(1, Ordering::Relaxed) + 1;
    response
        .headers_mut()
        .insert("x-order-number", number.into());
    response
}

/// Why the shop takes no orders.
#[derive(Debug, Problem)]
enum Closed {
    /// The shop is closed. Come back tomorrow.
    #[problem(unavailable, code = "shop_closed")]
    Closed,
}

/// Ends the request early unless the shop is open.
#[around]
async fn opening_hours(request: Request, next: Next) -> Result<Response, Closed> {
    if request.headers().contains_key("x-night") {
        return Err(Closed::Closed);
    }
    Ok(next.run(request).await)
}

static WRONG_TOKEN: ProblemInfo = ProblemInfo {
    code: "wrong_token",
    kind: Kind::Forbidden,
    title: "Forbidden",
    description: "The header `X-Token` is missing or wrong.",
};

/// A guard: an extractor that is there for what it checks.
struct VerifyToken;

impl FromRequestParts for VerifyToken {
    async fn from_request_parts(
        request: &mut doyen::web::Request,
    ) -> Result<Option<Self>, Refusal> {
        match request.parts.header("x-token") {
            Some("fake-super-secret-token") => Ok(Some(Self)),
            _ => Err(Plain::new(&WRONG_TOKEN).into()),
        }
    }

    fn describe(contract: &mut Contract<'_>) {
        contract.operation.parameter(Parameter {
            place: Place::Header,
            name: "X-Token".to_owned(),
            required: true,
            schema: Schema::of("string").with("maxLength", 100),
            description: "The token of the shop.".to_owned(),
            deprecated: false,
            commas: false,
        });
        contract.operation.fails([&WRONG_TOKEN]);
    }
}

/// Place an order
#[post("/orders", allow = anyone, around = numbered)]
async fn place() -> NoContent {
    NoContent
}

/// Get the opening hours
#[get("/hours", allow = anyone)]
async fn hours() -> Text {
    Text("9 to 5".to_owned())
}

/// The application: its layers, and a module with more of them.
pub fn app() -> App {
    let orders = routes![place].around(opening_hours).guard::<VerifyToken>();
    App::new("guide")
        .provide(Arc::new(Counter::default()))
        .around(server_name)
        .module(Module::new("shop").routes(orders).routes(routes![hours]))
}

/// Surrounds every request, also one that matches no route.
#[around]
async fn server_name(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let name = HeaderValue::from_static("tea shop");
    response.headers_mut().insert("server", name);
    response
}
