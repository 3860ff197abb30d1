//! Conditional GET (RFC 9110 section 13.1.2).

use doyen_core::Caller;
use http::{HeaderValue, Method, StatusCode, header};

use crate::etag::{CallerPart, Tag};
use crate::{Body, Response};

/// Returns the values of `If-None-Match`.
pub(super) fn requested(head: &http::request::Parts) -> Vec<HeaderValue> {
    head.headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect()
}

/// Turns a 200 that the client already has into a 304 without a body. The response still has the
/// route's own tag; the client's tag must also have the suffix of this caller.
pub(super) fn apply(
    method: &Method,
    if_none_match: Vec<HeaderValue>,
    caller: Option<&Caller>,
    response: &mut Response,
) {
    if if_none_match.is_empty()
        || response.status() != StatusCode::OK
        || !(method == Method::GET || method == Method::HEAD)
    {
        return;
    }
    let Some(tag) = response
        .headers()
        .get(header::ETAG)
        .and_then(|tag| tag.to_str().ok())
    else {
        return;
    };
    let part = caller.map(CallerPart::of);
    let part = part.as_ref().map_or("", CallerPart::as_str);
    // Weak comparison ignores the weakness indicator (section 8.8.3.2).
    let is_known = |known: Tag<'_>| {
        Tag::parse(tag).is_some_and(|own| known.opaque.strip_prefix(own.opaque) == Some(part))
    };
    let known = if_none_match
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|field| field.trim() == "*" || Tag::list(field).any(is_known));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
}
