//! `/.well-known/jwks.json`: the public keys.

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::anyone;
use doyen_macros::get;
use doyen_web::{Body, Response};
use http::{HeaderValue, header};

/// The public keys that access tokens are signed with (RFC 7517).
#[get("/.well-known/jwks.json", allow = anyone, hidden)]
pub(super) async fn jwks(tokens: Arc<Tokens>) -> Response {
    let mut response = Response::new(Body::whole(tokens.jwks().to_string()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jwk-set+json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    if let Ok(tag) = HeaderValue::try_from(tokens.jwks_etag()) {
        headers.insert(header::ETAG, tag);
    }
    response
}
