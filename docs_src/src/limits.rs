//! How often a route may be called: words beside it, and a policy that several routes share.

use doyen::prelude::*;

/// What was found.
#[derive(Output)]
struct Found {
    titles: Vec<String>,
}

/// Search. Each user may ask as often as the policy says.
#[get("/search", allow = signed_in, limit = policy("search"))]
async fn search() -> Json<Found> {
    Json(Found { titles: Vec::new() })
}

/// Export everything. It counts as ten searches, and all users together get twenty an hour.
#[get("/export", allow = signed_in, limit = (policy("search").cost(10), per_route(20, HOUR)))]
async fn export() -> Json<Found> {
    Json(Found { titles: Vec::new() })
}

/// Send a message. Twenty a minute, at most five of them at once.
#[post("/messages", allow = anyone, limit = per_client(20, MINUTE).burst(5))]
async fn send() -> NoContent {
    NoContent
}

/// Tell a balancer that all is well.
#[get("/ping", allow = anyone, limit = unlimited("a balancer asks every second"))]
async fn ping() -> NoContent {
    NoContent
}

/// The application.
pub fn app() -> App {
    App::new("library")
        .policy("search", per_user(30, MINUTE))
        .module(Module::new("books").routes(routes![search, export, send, ping]))
}
