//! A 403 for missing credentials, for clients that expect it.

use doyen::prelude::*;
use doyen::schema::{FastApiErrors, ProblemFormat as _};
use doyen::web::extract::BearerToken;
use serde_json::{Value, json};

/// Get the current user
#[get("/me", allow = anyone)]
async fn me(Credentials(token): Credentials<BearerToken>) -> Json<Value> {
    Json(json!({"message": "You are authenticated", "token": token.expose()}))
}

pub fn app() -> App {
    App::new("users")
        .problem_format(FastApiErrors.status_as("unauthenticated", 403))
        .module(Module::new("users").routes(routes![me]))
}
