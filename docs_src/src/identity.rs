//! Scopes, roles, a login that returns a token, and routes that require it.

use std::sync::Arc;

use doyen::auth::{Passwords, Tokens};
use doyen::prelude::*;

/// The scopes of a token.
#[derive(Clone, Copy, doyen::domain::Scope)]
pub enum Scope {
    /// Read books.
    #[scope("books:read")]
    BooksRead,
    /// Write books.
    #[scope("books:write")]
    BooksWrite,
}

/// The roles of a user.
#[derive(Clone, Copy, doyen::domain::Role)]
pub enum Role {
    /// Manages the library.
    Librarian,
}

/// Login credentials.
#[derive(Input)]
struct Credentials {
    name: String,
    password: String,
}

/// An access token response (RFC 6749).
#[derive(Output)]
struct Token {
    access_token: String,
    expires_in: u64,
}

/// Errors when logging in.
#[derive(Debug, Problem)]
enum LogIn {
    /// The name or the password is wrong. Check both.
    #[problem(unauthenticated)]
    InvalidCredentials,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The only user of this example.
pub struct Ada {
    /// Password hash from `Passwords::hash`.
    pub password_hash: String,
}

/// Log in
#[post("/login", allow = anyone)]
async fn login(
    ada: Arc<Ada>,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    Json(given): Json<Credentials>,
) -> Result<NoStore<Token>, LogIn> {
    // Without a hash, `verify` takes as long as for a wrong password.
    let hash = (given.name == "ada").then_some(ada.password_hash.as_str());
    if !passwords.verify(given.password.into(), hash).await?.ok {
        return Err(LogIn::InvalidCredentials);
    }
    let mut caller = Caller::new(&given.name);
    caller.scopes = vec![Scope::BooksRead.name().into()];
    let issued = tokens.issue(&caller)?;
    Ok(NoStore(Token {
        access_token: issued.token,
        expires_in: issued.expires_in,
    }))
}

/// The caller.
#[derive(Output)]
struct Me {
    name: String,
}

/// Get the caller
#[get("/me", allow = signed_in)]
async fn me(caller: Caller) -> Json<Me> {
    let name = caller.subject.to_string();
    Json(Me { name })
}

/// Count the books
#[get("/books", allow = Scope::BooksRead)]
async fn count() -> Text {
    Text("3".to_owned())
}

/// Burn the books
#[delete("/books", allow = Scope::BooksWrite.role(Role::Librarian))]
async fn burn() -> NoContent {
    NoContent
}

/// The module with the login and the books.
pub fn module() -> Module {
    Module::new("library").routes(routes![login, me, count, burn])
}
