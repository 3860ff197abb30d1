//! OAuth2 with password and bearer, and HTTP Basic: schemes of the application.

use std::sync::Arc;

use doyen::auth::{Bearer, CheckToken, Tokens};
use doyen::domain::SecurityScheme;
use doyen::prelude::*;
use doyen::web::extract::{Basic, Scheme};

/// A bearer token that `/token` issues.
struct Password;

impl Scheme for Password {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::oauth2_password("/token")
    }
}

async fn by_token(
    bearer: Arc<Bearer>,
    Credentials(token): Credentials<Password>,
) -> Result<Arc<Caller>, CheckToken> {
    bearer.caller(token.expose()).await
}

async fn by_password(
    (): (),
    Credentials(basic): Credentials<Basic>,
) -> Result<Option<Caller>, Unexpected> {
    let is_right = basic.name == "stanleyjobson" && basic.password.expose() == "swordfish";
    Ok(is_right.then(|| Caller::new(&basic.name)))
}

/// A token (RFC 6749).
#[derive(Output)]
struct Token {
    access_token: String,
    token_type: &'static str,
}

/// Why there is no token.
#[derive(Debug, Problem)]
enum GetToken {
    /// The user name or the password is wrong.
    #[problem(
        malformed,
        code = "incorrect_login",
        detail = "Incorrect username or password"
    )]
    Incorrect,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Get a token
#[post("/token", allow = anyone)]
async fn token(
    tokens: Arc<Tokens>,
    #[form] username: String,
    #[form] password: Secret<String>,
) -> Result<NoStore<Token>, GetToken> {
    if (username.as_str(), password.expose().as_str()) != ("johndoe", "secret") {
        return Err(GetToken::Incorrect);
    }
    let issued = tokens.issue(&Caller::new(&username))?;
    Ok(NoStore(Token {
        access_token: issued.token,
        token_type: "bearer",
    }))
}

/// Get the current user
#[get("/users/me", allow = signed_in)]
async fn me(caller: Caller) -> Text {
    Text(caller.subject.to_string())
}

/// Builds the application.
pub fn app() -> App {
    App::new("oauth2")
        .identify(by_token)
        .identify(by_password)
        .module(Module::new("users").routes(routes![token, me]))
}
