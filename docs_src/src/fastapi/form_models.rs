//! A form as a model. FastAPI ignores unknown fields; here that is a choice.

use doyen::prelude::*;

/// The form.
#[derive(Input, Output)]
#[input(allow_unknown)]
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
