//! Who is it?

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Caller, Credentials, Kind, Refusal};
use http::HeaderName;

use crate::route::Entry;
use crate::service::Inner;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The caller behind the credentials. On a public route credentials that are not valid count as none: an expired token must not keep
/// anybody from logging in again, and a cookie that a page elsewhere had sent along makes nobody a caller.
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
    let cookie = cookies(&head.headers);
    let mut credentials = Credentials {
        authorization: text(http::header::AUTHORIZATION),
        api_key: text(API_KEY),
        cookie: cookie.as_deref(),
        address,
        ..Credentials::default()
    };
    if credentials.authorization.is_none()
        && credentials.api_key.is_none()
        && credentials.cookie.is_none()
    {
        return Ok(None);
    }
    if credentials.cookie.is_some() {
        credentials.safe = head.method.is_safe();
        // HTTP/2 says the host in the target.
        let target = head.uri.authority().map(http::uri::Authority::as_str);
        credentials.host = target.or_else(|| text(http::header::HOST));
        credentials.origin = text(http::header::ORIGIN);
        credentials.fetch_site = text(FETCH_SITE);
        credentials.csrf = text(CSRF);
    }
    match identify.identify(credentials).await {
        // Only a verdict counts as none: that nobody could be asked is a fault, here as elsewhere.
        Err(refusal)
            if entry.operation.allow.is_public()
                && matches!(refusal.info().kind, Kind::Unauthenticated | Kind::Forbidden) =>
        {
            Ok(None)
        }
        other => other,
    }
}

/// The cookies as one text. Over HTTP/2 they may come in several fields (RFC 9113 section 8.2.3).
fn cookies(headers: &http::HeaderMap) -> Option<Cow<'_, str>> {
    let mut fields = headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let first = fields.next()?;
    let Some(second) = fields.next() else {
        return Some(first.into());
    };
    let mut all = format!("{first}; {second}");
    for field in fields {
        all.push_str("; ");
        all.push_str(field);
    }
    Some(all.into())
}
