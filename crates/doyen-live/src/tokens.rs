//! Connection tokens: a browser cannot send a header when it opens a WebSocket, and an access
//! token has no place in a URL, which logs contain.
//!
//! A token is random, valid once and for a short time. Its row holds the credentials of the request
//! that created it, encrypted with a key that is derived from the token: the database alone reveals
//! nothing. So a socket that was opened with a token ends with these credentials.

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::problem::Plain;
use doyen_core::{
    Access, Caller, CredentialHeader, Identify, Kind, ProblemInfo, Refusal, RequestCredentials,
    SecurityScheme, Unexpected, signed_in,
};
use doyen_data::Row;
use doyen_schema::Output;
use doyen_schema::contract::Contract;
use doyen_web::extract::FromRequestParts;
use doyen_web::{Created, Request, RetainedCredentials, Route};

use crate::hub::Hub;
use crate::tables::{commit, now};

/// The problem for a connection token that cannot be used.
pub static CONNECTION_TOKEN: ProblemInfo = ProblemInfo {
    code: "invalid_connection_token",
    kind: Kind::Unauthenticated,
    title: "Invalid Connection Token",
    description: "The connection token is unknown, expired, or was used before. Request another one.",
};

const TOKEN_BYTES: usize = 32;

/// Returns the route that creates connection tokens: `POST /tokens`. Mount it with
/// `Routes::new(vec![live::tokens()]).at("/v1/live")`. Every authenticated caller may use it;
/// `.allow(..)` restricts it to a scope or a role.
pub fn tokens() -> Route {
    Route::post("/tokens")
        .name("create_token")
        .summary("Create a connection token")
        .description(
            "A browser cannot send credentials in a header when it opens a WebSocket. The token is valid once, for a short time, as the query parameter `token` of the socket.",
        )
        .returns("The token, which is shown once.")
        .allow(signed_in)
        .handler(create)
}

/// A connection token.
#[derive(Output)]
#[output(name = "ConnectionToken")]
pub(crate) struct TokenView {
    /// The token, for `?token=` of a WebSocket.
    token: String,
    /// Lifetime in seconds.
    #[output(example = 60)]
    expires_in: u64,
}

async fn create(
    hub: Arc<Hub>,
    RequestCopy(credentials): RequestCopy,
) -> Result<Created<TokenView>, Unexpected> {
    let mut secret = [0; TOKEN_BYTES];
    getrandom::fill(&mut secret)?;
    let token = URL_SAFE_NO_PAD.encode(secret);
    let sealed = seal(&token, &credentials)?;
    let lifetime = hub.settings.token_lifetime;
    // A transaction of its own: nothing of this request depends on it.
    let session = hub.database.session(Access::Write);
    let time = now(session.backend());
    let sql = format!(
        "INSERT INTO live_tokens (id, credentials, expires_ms) VALUES ($1, $2, {time} + $3)"
    );
    let millis = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX / 2);
    let parameters = [id(&token).into(), sealed.into(), millis.into()];
    session.execute_sql(&sql, parameters).await?;
    commit(&session).await?;
    Ok(Created(TokenView {
        token,
        expires_in: lifetime.as_secs(),
    }))
}

/// The credentials of the request.
struct RequestCopy(RetainedCredentials);

impl FromRequestParts for RequestCopy {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        Ok(Some(Self(RetainedCredentials::of(&request.parts))))
    }

    fn describe(_: &mut Contract<'_>) {}
}

#[derive(Row)]
struct TokenRow {
    credentials: Vec<u8>,
}

/// Identifies the caller of a WebSocket handshake by its connection token.
///
/// The hub refers to all identification, so this refers to the hub weakly.
pub(crate) struct TokenIdentify(pub(crate) Weak<Hub>);

#[async_trait::async_trait]
impl Identify for TokenIdentify {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let token = credentials.connection_token;
        let (Some(token), None, None) = (token, credentials.authorization, credentials.api_key)
        else {
            return Ok(None);
        };
        let Some(hub) = self.0.upgrade() else {
            return Ok(None);
        };
        let Some(identify) = hub.identify.get() else {
            return Ok(None);
        };
        let session = hub.database.session(Access::Read);
        let time = now(session.backend());
        let sql =
            format!("SELECT credentials FROM live_tokens WHERE id = $1 AND expires_ms > {time}");
        let row = session.query_one_as::<TokenRow>(&sql, [id(token).into()]);
        let row = row.await.map_err(Unexpected::from)?.ok_or_else(refused)?;
        let kept = open(token, row.credentials, credentials.address)?;
        kept.identify(&**identify).await
    }

    fn credential_headers(&self) -> Vec<CredentialHeader> {
        Vec::new()
    }

    fn schemes(&self) -> Vec<SecurityScheme> {
        Vec::new()
    }
}

fn refused() -> Refusal {
    Plain::new(&CONNECTION_TOKEN).into()
}

/// Consumes a token, in a transaction of its own. Returns the credentials that it stands for.
pub(crate) async fn consume(
    hub: &Hub,
    token: &str,
    address: Option<IpAddr>,
) -> Result<RetainedCredentials, Refusal> {
    let session = hub.database.session(Access::Write);
    let time = now(session.backend());
    let sql = format!(
        "DELETE FROM live_tokens WHERE id = $1 AND expires_ms > {time} RETURNING credentials"
    );
    let row = session.query_one_as::<TokenRow>(&sql, [id(token).into()]);
    let row = row.await.map_err(Unexpected::from)?;
    commit(&session).await.map_err(Unexpected::from)?;
    open(token, row.ok_or_else(refused)?.credentials, address)
}

/// Returns the id of a token: its hash.
fn id(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}

/// The key of a token encrypts once, so its nonce is constant.
fn cipher(token: &str) -> Result<LessSafeKey, Unexpected> {
    let key = digest(&SHA256, format!("live/token/key/{token}").as_bytes());
    Ok(LessSafeKey::new(UnboundKey::new(
        &AES_256_GCM,
        key.as_ref(),
    )?))
}

fn seal(token: &str, credentials: &RetainedCredentials) -> Result<Vec<u8>, Unexpected> {
    let mut bytes = serde_json::to_vec(&credentials.headers())?;
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    cipher(token)?.seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes)?;
    Ok(bytes)
}

fn open(
    token: &str,
    mut sealed: Vec<u8>,
    address: Option<IpAddr>,
) -> Result<RetainedCredentials, Refusal> {
    let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
    let cipher = cipher(token)?;
    let opened = cipher.open_in_place(nonce, Aad::empty(), &mut sealed);
    let opened = opened.map_err(|_| refused())?;
    let headers: Vec<(String, String)> =
        serde_json::from_slice(opened).map_err(Unexpected::from)?;
    Ok(RetainedCredentials::restore(headers, address))
}
