//! Passwords that are hashed, and signed tokens that expire.

use std::sync::Arc;

use doyen::auth::{Passwords, Tokens};
use doyen::prelude::*;

/// Of `secret`, as pwdlib writes it in Python.
const HASH: &str = "$argon2id$v=19$m=65536,t=3,p=4$wagCPXjifgvUFBzq4hqe3w$CYaIb8sB+wtD+Vu/P4uod1+Qof8h+1g7bbDlBID48Rc";

/// A token (RFC 6749).
#[derive(Output)]
struct Token {
    access_token: String,
    token_type: &'static str,
}

/// Why there is no token.
#[derive(Debug, Problem)]
enum Login {
    /// The user name or the password is wrong.
    #[problem(
        unauthenticated,
        code = "incorrect_login",
        detail = "Incorrect username or password"
    )]
    Incorrect,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Log in
#[post("/token", allow = anyone)]
async fn login(
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    #[form] username: String,
    #[form] password: Secret<String>,
) -> Result<NoStore<Token>, Login> {
    // Without a hash, `verify` takes as long as for a wrong password.
    let hash = (username == "johndoe").then_some(HASH);
    if !passwords.verify(password, hash).await?.ok {
        return Err(Login::Incorrect);
    }
    let access_token = tokens.issue(&Caller::new(&username))?.token;
    Ok(NoStore(Token {
        access_token,
        token_type: "bearer",
    }))
}

/// A user.
#[derive(Output)]
struct User {
    username: String,
}

/// Get the current user
#[get("/users/me/", allow = signed_in)]
async fn me(caller: Caller) -> Json<User> {
    Json(User {
        username: caller.subject.to_string(),
    })
}

pub fn module() -> Module {
    Module::new("users").routes(routes![login, me])
}
