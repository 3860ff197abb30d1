//! Checks of an HTTP/2 request head that the parser leaves to the server (RFC 9113 sections 8.2.1
//! and 8.3.1).

use doyen_http1::{Authority, HeadError};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::rejected_head::RejectedHead;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Maximum number of headers: that of HTTP/1.1.
const MAX_HEADERS: usize = 100;

/// Returns why a request is rejected, or `None` if it is valid.
///
/// # Errors
///
/// Returns an error if the request is malformed, so that its stream must be reset.
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Result<Option<RejectedHead>, h2::Reason> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |value: &HeaderValue| {
        let value = value.as_bytes();
        is_space(value.first()) || is_space(value.last())
    };
    if headers.values().any(is_padded) {
        return Err(h2::Reason::PROTOCOL_ERROR);
    }
    if headers.len() > MAX_HEADERS {
        return Ok(Some(RejectedHead::Invalid(HeadError::HeadersTooLarge(
            "The request has more than 100 headers. Send fewer.",
        ))));
    }
    Ok(ambiguity(uri, headers).map(|why| RejectedHead::Invalid(HeadError::Malformed(why))))
}

/// Returns what could be read in two ways.
fn ambiguity(uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let count = |name| headers.get_all(name).iter().count();
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let target = authority.or(host.map(|host| host.as_bytes()));
    Some(if more.is_some() {
        "The request has more than one `Host` header."
    } else if target.is_none() {
        "`:authority` is missing."
    } else if target.and_then(Authority::parse).is_none() {
        "`:authority` must be a host with an optional port."
    } else if let (Some(authority), Some(host)) = (authority, host)
        && !authority.eq_ignore_ascii_case(host.as_bytes())
    {
        "`Host` differs from `:authority`."
    } else if count(header::AUTHORIZATION) > 1 {
        "The request has more than one `Authorization` header."
    } else if count(header::CONTENT_TYPE) > 1 {
        "The request has more than one `Content-Type` header."
    } else if count(API_KEY) > 1 {
        "The request has more than one `X-API-Key` header."
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_rejected(uri: &'static str, fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        check(&Uri::from_static(uri), &headers).unwrap().is_some()
    }

    #[test]
    fn a_request_over_http_2_has_one_host_and_one_caller() {
        assert!(!is_rejected("http://a/", &[]));
        assert!(!is_rejected(
            "http://a/",
            &[("host", "A"), ("authorization", "x")]
        ));
        assert!(!is_rejected("/", &[("host", "a:80")]));
        assert!(is_rejected("/", &[]));
        assert!(is_rejected("http://a/", &[("host", "b")]));
        assert!(is_rejected("http://a/", &[("host", "a"), ("host", "a")]));
        assert!(is_rejected("http://user@a/", &[]));
        assert!(is_rejected("/", &[("host", "a/b")]));
        assert!(is_rejected(
            "http://a/",
            &[("authorization", "x"), ("authorization", "y")]
        ));
        assert!(is_rejected(
            "http://a/",
            &[("content-type", "x"), ("content-type", "x")]
        ));
        assert!(is_rejected(
            "http://a/",
            &[("x-api-key", "x"), ("x-api-key", "x")]
        ));
    }
}
