//! A function around one route.

use std::time::Instant;

use doyen::prelude::*;
use serde_json::{Value, json};

#[around]
async fn timed_route(request: Request, next: Next) -> Response {
    let before = Instant::now();
    let mut response = next.run(request).await;
    let micros = before.elapsed().subsec_micros();
    response
        .headers_mut()
        .insert("x-response-micros", micros.into());
    response
}

/// Not timed
#[get("/", allow = anyone)]
async fn not_timed() -> Json<Value> {
    Json(json!({"message": "Not timed"}))
}

/// Timed
#[get("/timed", allow = anyone, around = timed_route)]
async fn timed() -> Json<Value> {
    Json(json!({"message": "It's the time of my life"}))
}

pub fn module() -> Module {
    Module::new("times").routes(routes![not_timed, timed])
}
