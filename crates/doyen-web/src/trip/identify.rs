//! Who is it?

use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Caller, Credentials, Kind, Refusal};
use http::HeaderName;

use crate::route::Entry;
use crate::service::Inner;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The caller behind the credentials. On a public route credentials that are not valid count as none: an expired token must not keep
/// anybody from logging in again.
pub(super) async fn caller(
    inner: &Inner,
    head: &http::request::Parts,
    entry: &Entry,
    address: Option<IpAddr>,
) -> Result<Option<Arc<Caller>>, Refusal> {
    let Some(identify) = &inner.identify else {
        return Ok(None);
    };
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let credentials = Credentials {
        authorization: text(http::header::AUTHORIZATION),
        api_key: text(API_KEY),
        cookie: text(http::header::COOKIE),
        address,
    };
    if credentials.authorization.is_none()
        && credentials.api_key.is_none()
        && credentials.cookie.is_none()
    {
        return Ok(None);
    }
    match identify.identify(credentials).await {
        // Only a verdict counts as none: that nobody could be asked is a fault, here as elsewhere.
        Err(refusal)
            if entry.operation.allow.is_public()
                && refusal.info().kind == Kind::Unauthenticated =>
        {
            Ok(None)
        }
        other => other,
    }
}
