//! Guards for every route of the application, which surround one module.

use doyen::prelude::*;
use serde_json::{Value, json};

struct VerifyToken;

/// The header is wrong.
#[derive(Debug, Problem)]
#[problem(malformed, code = "wrong_token", detail = "X-Token header invalid")]
struct WrongToken;

#[extractor]
async fn verify(#[header] x_token: String) -> Result<VerifyToken, WrongToken> {
    (x_token == "fake-super-secret-token")
        .then_some(VerifyToken)
        .ok_or(WrongToken)
}

/// List items
#[get("/items/", allow = anyone)]
async fn items() -> Json<Value> {
    Json(json!([{"item": "Portal Gun"}, {"item": "Plumbus"}]))
}

/// List users
#[get("/users/", allow = anyone)]
async fn users() -> Json<Value> {
    Json(json!([{"username": "Rick"}, {"username": "Morty"}]))
}

pub fn module() -> Module {
    Module::new("all")
        .guard::<VerifyToken>()
        .routes(routes![items, users])
}
