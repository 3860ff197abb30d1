//! The return type is the response model. Input, output and stored form are separate types.

use std::collections::BTreeMap;

use doyen::prelude::*;

/// A new user.
#[derive(Input)]
#[input(into = User, set(hashed_password = "hash".to_owned()))]
struct UserIn {
    username: String,
    #[validate(email)]
    email: String,
    full_name: Option<String>,
    #[input(skip_into)]
    #[allow(dead_code, reason = "the example hashes nothing")]
    password: Secret<String>,
}

/// A stored user.
struct User {
    username: String,
    email: String,
    full_name: Option<String>,
    #[allow(dead_code, reason = "it never leaves")]
    hashed_password: String,
}

/// A user as others see it. There is no field for the password, so that none can leave.
#[derive(Output)]
#[output(from = User, skip_none)]
struct UserOut {
    username: String,
    email: String,
    full_name: Option<String>,
}

/// Create a user
#[post("/users", allow = anyone)]
async fn create(Json(new): Json<UserIn>) -> Status<201, Json<UserOut>> {
    let user: User = new.into();
    Status(Json(user.into()))
}

/// List users
#[get("/users", allow = anyone)]
async fn list() -> Json<Vec<UserOut>> {
    Json(Vec::new())
}

/// Get the weights of keywords
#[get("/keyword-weights", allow = anyone)]
async fn weights() -> Json<BTreeMap<String, f64>> {
    Json(BTreeMap::from([("foo".to_owned(), 2.3)]))
}

/// The module with users.
pub fn module() -> Module {
    Module::new("users").routes(routes![create, list, weights])
}
