//! Conditional GET (RFC 9110 section 13.1.2).

use http::{HeaderValue, Method, StatusCode, header};

use crate::{Body, Response};

/// The values of `If-None-Match`, if there are any.
pub(super) fn wanted(head: &http::request::Parts) -> Vec<HeaderValue> {
    head.headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .cloned()
        .collect()
}

/// Turns a 200 the client already has into 304 without a body.
pub(super) fn apply(method: &Method, wanted: Vec<HeaderValue>, response: &mut Response) {
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
    // Weak comparison: the mark does not count (section 8.8.3.2).
    let opaque = tag.trim_start_matches("W/");
    let known = wanted
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim);
    if known
        .into_iter()
        .any(|known| known == "*" || known.trim_start_matches("W/") == opaque)
    {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
}
