//! A cookie of a response: a type, with its attributes.

use doyen::prelude::*;
use doyen::web::response::{CookieSpec, WithCookie};
use serde_json::{Value, json};

struct FakeSession;

impl CookieSpec for FakeSession {
    const NAME: &'static str = "fakesession";
}

/// Get a cookie
#[post("/cookie-and-object/", allow = anyone)]
async fn create() -> WithCookie<Json<Value>, FakeSession> {
    Json(json!({"message": "Come to the dark side, we have cookies"}))
        .with_cookie(SetCookie::new("fake-cookie-session-value"))
}

pub fn module() -> Module {
    Module::new("cookies").routes(routes![create])
}
