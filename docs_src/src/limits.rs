//! Rate limits in route attributes, a policy that several routes share, and a concurrency class.

use doyen::prelude::*;

/// Search results.
#[derive(Output)]
struct Found {
    titles: Vec<String>,
}

/// Search for books
///
/// The policy `search` limits the calls of each user.
#[get("/search", allow = signed_in, limit = policy("search"))]
async fn search() -> Json<Found> {
    Json(Found { titles: Vec::new() })
}

/// Export all books
///
/// Counts as ten searches. All users together are limited to twenty exports an hour.
#[get("/export", allow = signed_in, limit = (policy("search").cost(10), per_route(20, HOUR)))]
async fn export() -> Json<Found> {
    Json(Found { titles: Vec::new() })
}

/// Send a message
///
/// Limited to twenty messages a minute, at most five of them at once.
#[post("/messages", allow = anyone, limit = per_client(20, MINUTE).burst(5))]
async fn send() -> NoContent {
    NoContent
}

/// Check that the server is running
#[get("/ping", allow = anyone, limit = unlimited("the load balancer polls every second"))]
async fn ping() -> NoContent {
    NoContent
}

/// Print a report
///
/// Two reports are printed at once. Further ones wait for a moment, then get a 503.
#[get("/report", allow = signed_in, concurrency = class("reports", 2))]
async fn report() -> Json<Found> {
    Json(Found { titles: Vec::new() })
}

/// Builds the application.
pub fn app() -> App {
    App::new("library")
        .policy("search", per_user(30, MINUTE))
        .module(Module::new("books").routes(routes![search, export, send, ping, report]))
}
