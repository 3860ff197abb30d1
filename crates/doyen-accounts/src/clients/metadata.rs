//! `/.well-known/oauth-authorization-server`: the metadata of the authorization server (RFC 8414).

use std::sync::Arc;

use doyen_auth::Tokens;
use doyen_core::anyone;
use doyen_macros::{get, routes};
use doyen_web::{Body, Response, Routes};
use http::{HeaderValue, header};
use serde_json::json;

/// Path of the token endpoint.
#[derive(Debug)]
pub(crate) struct Metadata {
    token: String,
}

impl Metadata {
    /// Creates the metadata for routes under this prefix.
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            token: format!("{}/oauth/token", prefix.trim_end_matches('/')),
        }
    }

    /// Returns the route, which is at the root of the service.
    pub(crate) fn routes() -> Routes {
        routes![metadata]
    }
}

/// The metadata. Its addresses come from the setting `auth.issuer`, never from the request.
#[get("/.well-known/oauth-authorization-server", allow = anyone, hidden)]
async fn metadata(tokens: Arc<Tokens>, place: Arc<Metadata>) -> Response {
    let issuer = tokens.issuer();
    let base = issuer.trim_end_matches('/');
    let all = json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}{}", place.token),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    let mut response = Response::new(Body::whole(all.to_string()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=300"),
    );
    response
}
