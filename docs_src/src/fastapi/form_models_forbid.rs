//! Unknown fields of a form are refused: the default.

use doyen::prelude::*;

/// The form.
#[derive(Input, Output)]
struct FormData {
    username: String,
    password: String,
}

/// Log in
#[post("/login/", allow = anyone)]
async fn login(Form(data): Form<FormData>) -> Json<FormData> {
    Json(data)
}

pub fn module() -> Module {
    Module::new("login").routes(routes![login])
}
