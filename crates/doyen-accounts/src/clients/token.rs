//! `/oauth/token`: a client's id and secret for an access token.

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::{Output, anyone};
use doyen_macros::{post, routes};
use doyen_web::{Client, Form, NoStore, Routes};

use super::grant::{self, Authorization, Parameters};
use super::problems::NoToken;
use super::store::ClientStore;

/// The route that anybody may call.
pub(crate) fn public() -> Routes {
    routes![token]
}

/// An access token for a program (RFC 6749 section 5.1). Send it as `Authorization: Bearer <access_token>`.
#[derive(Output)]
#[output(name = "ClientToken")]
struct TokenView {
    /// The token.
    access_token: String,
    /// How to send it.
    token_type: TokenType,
    /// Seconds until it expires.
    #[output(example = 900)]
    expires_in: u64,
    /// What it permits, separated by spaces.
    #[output(example = "tickets:read")]
    scope: String,
}

/// How a token is sent.
#[derive(Output)]
#[output(name = "ClientTokenType")]
enum TokenType {
    /// In the `Authorization` field.
    #[output(rename = "Bearer")]
    Bearer,
}

/// Get an access token for a machine client.
///
/// The client sends its id and secret by HTTP Basic or in the form, not both. There is no refresh token: ask again. The fields `error` and
/// `error_description` of RFC 6749 stand in every refusal.
#[post("/oauth/token", allow = anyone, id = "auth_client_token")]
async fn token(
    from: Client,
    clients: ClientStore,
    tokens: Arc<Tokens>,
    authorization: Authorization,
    Form(form): Form<Parameters>,
) -> Result<NoStore<TokenView>, NoToken> {
    let asked = grant::read(&form, &authorization)?;
    let mut caller = clients.proven(&from, &asked.client, &asked.secret).await?;
    if let Some(wanted) = &asked.scopes {
        if !wanted.iter().all(|scope| caller.has_scope(scope)) {
            return Err(NoToken::Scope);
        }
        caller
            .scopes
            .retain(|own| wanted.iter().any(|wanted| *wanted == **own));
    }
    let issued = tokens.issue(&caller)?;
    Ok(NoStore(TokenView {
        access_token: issued.token,
        token_type: TokenType::Bearer,
        expires_in: issued.expires_in,
        scope: caller.scopes.join(" "),
    }))
}
