//! Input, output and stored form are separate types, converted field by field.

use doyen::prelude::*;

/// A new user.
#[derive(Input)]
#[input(into = User, set(hashed_password = "supersecret".to_owned()))]
struct UserIn {
    username: String,
    #[input(skip_into)]
    #[allow(dead_code, reason = "the example hashes nothing")]
    password: Secret<String>,
    #[validate(email)]
    email: String,
    full_name: Option<String>,
}

struct User {
    username: String,
    #[allow(dead_code, reason = "it never leaves")]
    hashed_password: String,
    email: String,
    full_name: Option<String>,
}

/// A user.
#[derive(Output)]
#[output(from = User)]
struct UserOut {
    username: String,
    email: String,
    full_name: Option<String>,
}

/// Create a user
#[post("/user/", allow = anyone)]
async fn create(Json(new): Json<UserIn>) -> Json<UserOut> {
    let user: User = new.into();
    Json(user.into())
}

pub fn module() -> Module {
    Module::new("users").routes(routes![create])
}
