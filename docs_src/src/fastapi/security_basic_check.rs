//! HTTP Basic that identifies the caller: a wrong password is a 401 with the challenge.

use doyen::prelude::*;
use doyen::web::extract::Basic;
use serde_json::{Value, json};

async fn by_password(
    (): (),
    Credentials(basic): Credentials<Basic>,
) -> Result<Option<Caller>, Unexpected> {
    let is_right = basic.name == "stanleyjobson" && basic.password.expose() == "swordfish";
    Ok(is_right.then(|| Caller::new(&basic.name)))
}

/// Get the current user
#[get("/users/me", allow = signed_in)]
async fn me(caller: Caller) -> Json<Value> {
    Json(json!({"username": &*caller.subject}))
}

pub fn app() -> App {
    App::new("users")
        .identify(by_password)
        .module(Module::new("users").routes(routes![me]))
}
