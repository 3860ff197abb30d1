//! The output has no field for the password, so that none can leave.

use doyen::prelude::*;

/// A new user.
#[derive(Input)]
#[input(into = UserOut)]
struct UserIn {
    username: String,
    #[input(skip_into)]
    #[allow(dead_code, reason = "the example stores nothing")]
    password: Secret<String>,
    #[validate(email)]
    email: String,
    full_name: Option<String>,
}

/// A user.
#[derive(Output)]
struct UserOut {
    username: String,
    email: String,
    full_name: Option<String>,
}

/// Create a user
#[post("/user/", allow = anyone)]
async fn create(Json(user): Json<UserIn>) -> Json<UserOut> {
    Json(user.into())
}

pub fn module() -> Module {
    Module::new("users").routes(routes![create])
}
