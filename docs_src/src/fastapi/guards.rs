//! `dependencies=[Depends(verify_token)]` on a route, a router or the application: guards.

use doyen::prelude::*;

/// The token is right.
pub struct VerifyToken;

/// The key is right.
pub struct VerifyKey;

/// A header is wrong.
#[derive(Debug, Problem)]
enum Denied {
    /// `X-Token` is wrong.
    #[problem(malformed, code = "wrong_token", detail = "X-Token header invalid")]
    Token,
    /// `X-Key` is wrong.
    #[problem(malformed, code = "wrong_key", detail = "X-Key header invalid")]
    Key,
}

#[extractor]
async fn verify_token(#[header] x_token: String) -> Result<VerifyToken, Denied> {
    let is_right = x_token == "fake-super-secret-token";
    is_right.then_some(VerifyToken).ok_or(Denied::Token)
}

#[extractor]
async fn verify_key(#[header] x_key: String) -> Result<VerifyKey, Denied> {
    let is_right = x_key == "fake-super-secret-key";
    is_right.then_some(VerifyKey).ok_or(Denied::Key)
}

/// List items
#[get("/guarded/items", allow = anyone)]
async fn items() -> Text {
    Text("Portal Gun, Plumbus".to_owned())
}

/// List users
#[get("/guarded/users", allow = anyone)]
async fn users() -> Text {
    Text("Rick, Morty".to_owned())
}

/// The module: the token for all routes, the key for one list of them.
pub fn module() -> Module {
    Module::new("guarded")
        .guard::<VerifyToken>()
        .routes(routes![items].guard::<VerifyKey>())
        .routes(routes![users])
}
