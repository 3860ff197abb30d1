//! Conditional GET (RFC 9110 section 13.1.2).

use doyen_core::Caller;
use http::{HeaderValue, Method, StatusCode, header};

use crate::etag::{CallerPart, Tag};
use crate::{Body, Response};

/// The values of `If-None-Match`, if there are any.
pub(super) fn wanted(head: &http::request::Parts) -> Vec<HeaderValue> {
    head.headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect()
}

/// Turns a 200 the client already has into 304 without a body. The response has the route's own tag
/// here; the client's tag must also carry the part of this caller.
pub(super) fn apply(
    method: &Method,
    wanted: Vec<HeaderValue>,
    caller: Option<&Caller>,
    response: &mut Response,
) {
    if wanted.is_empty()
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
    // Weak comparison: the mark does not count (section 8.8.3.2).
    let is_known = |known: Tag<'_>| {
        Tag::parse(tag).is_some_and(|own| known.opaque.strip_prefix(own.opaque) == Some(part))
    };
    let known = wanted
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
