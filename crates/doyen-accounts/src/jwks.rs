//! `/.well-known/jwks.json`: the public keys.

use std::sync::Arc;

use doyen_auth::{KEY_SET_MAX_AGE, Tokens};
use doyen_core::{anyone, unlimited};
use doyen_macros::get;
use doyen_web::{Body, Response};
use http::{HeaderValue, header};

/// The public keys of access tokens (RFC 7517): the key that signs, the next one, and those that
/// signed until a day ago.
#[get(
    "/.well-known/jwks.json",
    allow = anyone,
    hidden,
    limit = unlimited("clients that verify tokens need it, and it is in memory")
)]
pub(crate) async fn jwks(tokens: Arc<Tokens>) -> Response {
    tokens.fresh().await;
    let keys = tokens.key_set();
    let mut response = Response::new(Body::whole(keys.json));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    let age = format!("public, max-age={}", KEY_SET_MAX_AGE.as_secs());
    for (name, value) in [(header::CACHE_CONTROL, age), (header::ETAG, keys.etag)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}
