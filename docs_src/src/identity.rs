//! Scopes, roles, a login that gives a token, and a caller who sends it.

use std::sync::Arc;

use doyen::auth::{Passwords, Tokens};
use doyen::prelude::*;

/// What a token may permit.
#[derive(Clone, Copy, doyen::domain::Scope)]
pub enum Scope {
    /// Read books.
    #[scope("books:read")]
    BooksRead,
    /// Write books.
    #[scope("books:write")]
    BooksWrite,
}

/// What somebody is here.
#[derive(Clone, Copy, doyen::domain::Role)]
pub enum Role {
    /// Keeps the library.
    Librarian,
}

/// Who wants to log in.
#[derive(Input)]
struct Credentials {
    name: String,
    password: String,
}

/// A token (RFC 6749).
#[derive(Output)]
struct Token {
    access_token: String,
    expires_in: u64,
}

/// Why nobody was logged in.
#[derive(Debug, Problem)]
enum LogIn {
    /// The name or the password is wrong.
    #[problem(unauthenticated)]
    InvalidCredentials,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The one user of this example, with the hash of their password.
pub struct Ada {
    /// What `Passwords::hash` made of it.
    pub password_hash: String,
}

/// Log in.
#[post("/login", allow = anyone)]
async fn login(
    ada: Arc<Ada>,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    Json(given): Json<Credentials>,
) -> Result<NoStore<Token>, LogIn> {
    // Somebody who is not there takes as long as a wrong password.
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

/// Who is calling.
#[derive(Output)]
struct Me {
    name: String,
}

/// Show who you are.
#[get("/me", allow = signed_in)]
async fn me(caller: Caller) -> Json<Me> {
    let name = caller.subject.to_string();
    Json(Me { name })
}

/// Count the books.
#[get("/books", allow = Scope::BooksRead)]
async fn count() -> Text {
    Text("3".to_owned())
}

/// Burn the books.
#[delete("/books", allow = Scope::BooksWrite.role(Role::Librarian))]
async fn burn() -> NoContent {
    NoContent
}

/// The library.
pub fn module() -> Module {
    Module::new("library").routes(routes![login, me, count, burn])
}
