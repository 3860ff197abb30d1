//! The route `/oauth/token`, which exchanges the id and secret of a client for an access token.

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::anyone;
use doyen_macros::{post, routes};
use doyen_schema::Output;
use doyen_web::{Client, Form, NoStore, Routes};

use super::grant::{self, Authorization, Parameters};
use super::problems::NoToken;
use super::store::ClientStore;

/// Returns the public route.
pub(crate) fn public() -> Routes {
    routes![token]
}

/// An access token for a machine client (RFC 6749 section 5.1). Send it as
/// `Authorization: Bearer <access_token>`.
#[derive(Output)]
#[output(name = "ClientToken")]
struct TokenView {
    /// Access token.
    access_token: String,
    /// Token type.
    token_type: TokenType,
    /// Lifetime of the access token in seconds.
    #[output(example = 900)]
    expires_in: u64,
    /// Space-separated scopes of the access token.
    #[output(example = "tickets:read")]
    scope: String,
}

/// Token type.
#[derive(Output)]
#[output(name = "ClientTokenType")]
enum TokenType {
    /// The token is sent in the `Authorization` header.
    #[output(rename = "Bearer")]
    Bearer,
}

/// Get an access token for a machine client
///
/// The client sends its id and secret with HTTP Basic or in the form, but not both. There is no
/// refresh token; request a new access token instead. The response to a rejected request also
/// contains `error` and `error_description` (RFC 6749).
#[post("/oauth/token", allow = anyone, id = "auth_client_token", returns = "The new access token. The response must not be cached.")]
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
