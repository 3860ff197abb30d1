//! Cookies as a model. Other cookies are ignored, as every site has some.

use doyen::prelude::*;

/// The cookies of a visitor.
#[derive(Input, Output)]
struct Cookies {
    session_id: String,
    fatebook_tracker: Option<String>,
    googall_tracker: Option<String>,
}

/// List items
#[get("/items/", allow = anyone)]
async fn list(Cookie(cookies): Cookie<Cookies>) -> Json<Cookies> {
    Json(cookies)
}

pub fn module() -> Module {
    Module::new("items").routes(routes![list])
}
