//! Authentication: which caller do the credentials identify?

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Caller, Identify, Kind, Refusal, RequestCredentials};
use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE};

use super::Pipeline;
use crate::extract::Head;
use crate::route_info::RouteInfo;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns the caller, or `None` without credentials. On a public route invalid credentials are
/// ignored: an expired token must not block a new login, and a cookie that another site caused the
/// browser to send must not identify a caller.
pub(super) async fn caller(
    pipeline: &Pipeline,
    head: &http::request::Parts,
    route: &RouteInfo,
    address: Option<IpAddr>,
) -> Result<Option<Arc<Caller>>, Refusal> {
    let Some(identify) = &pipeline.identify else {
        return Ok(None);
    };
    // Only the handshake of a socket: a browser cannot send a header there.
    let token = route.is_socket.then(|| connection_token(head)).flatten();
    let has_known = [AUTHORIZATION, API_KEY, COOKIE]
        .iter()
        .any(|name| head.headers.contains_key(name));
    if !pipeline.has_other_credentials && !has_known && token.is_none() {
        return Ok(None);
    }
    let found = of_head(&**identify, head, address, token).await;
    match found {
        // Only for invalid credentials. An unavailable service is an error here as elsewhere.
        Err(refusal)
            if route.allow.is_public()
                && matches!(refusal.info().kind, Kind::Unauthenticated | Kind::Forbidden) =>
        {
            Ok(None)
        }
        other => other,
    }
}

/// Returns the caller of a request with this head.
pub(crate) async fn of_head(
    identify: &dyn Identify,
    head: &http::request::Parts,
    address: Option<IpAddr>,
    connection_token: Option<&str>,
) -> Result<Option<Arc<Caller>>, Refusal> {
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let other = Head(head);
    let cookie = cookies(&head.headers);
    let mut credentials = RequestCredentials {
        authorization: text(AUTHORIZATION),
        api_key: text(API_KEY),
        cookie: cookie.as_deref(),
        connection_token,
        address,
        head: Some(&other),
        ..RequestCredentials::default()
    };
    if credentials.cookie.is_some() {
        credentials.safe = head.method.is_safe();
        // HTTP/2 has the host in the target.
        let target = head.uri.authority().map(http::uri::Authority::as_str);
        credentials.host = target.or_else(|| text(http::header::HOST));
        credentials.origin = text(http::header::ORIGIN);
        credentials.fetch_site = text(FETCH_SITE);
        credentials.csrf = text(CSRF);
    }
    identify.identify(credentials).await
}

/// Returns the query parameter `token`. It is base64url, so nothing is decoded.
fn connection_token(head: &http::request::Parts) -> Option<&str> {
    let mut pairs = head.uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("token="))
}

/// Returns the cookies as one text. HTTP/2 allows several `Cookie` headers (RFC 9113 section
/// 8.2.3).
fn cookies(headers: &http::HeaderMap) -> Option<Cow<'_, str>> {
    let mut values = headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let first = values.next()?;
    let Some(second) = values.next() else {
        return Some(first.into());
    };
    let mut all = format!("{first}; {second}");
    for value in values {
        all.push_str("; ");
        all.push_str(value);
    }
    Some(all.into())
}
