//! Header fields that every answer carries.

use http::{HeaderName, HeaderValue, header};

use crate::{Body, Response};

/// What a browser must not do with an API's answers. A route that serves a page sets its own policy first.
const SECURITY: [(HeaderName, HeaderValue); 5] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("interest-cohort=()"),
    ),
];

pub(super) fn apply(response: &mut Response, request_id: &str, identified: bool) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        // What one caller sees is for that caller's own cache at most, and only with a check (RFC 9111 section 3.5).
        let tagged = headers.contains_key(header::ETAG);
        let value = if tagged {
            "private, no-cache"
        } else if identified {
            "no-store"
        } else {
            "no-cache"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
    if identified {
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
    }
}

/// HEAD is GET without the body: the length stays.
pub(super) fn strip_body(response: &mut Response) {
    if let Some(length) = http_body::Body::size_hint(response.body())
        .exact()
        .filter(|length| *length > 0)
    {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Body::empty();
}
