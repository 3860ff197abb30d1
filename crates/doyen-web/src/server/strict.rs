//! What the server refuses before anything is looked up.
//!
//! HTTP/1.1 is looked at byte by byte, in `head`. HTTP/2 has lengths of its own and its parser is strict; what it leaves open is here.

use http::{HeaderMap, Uri, header};

use super::authority::Authority;

/// Rides in a request's extensions: why it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It can be read two ways, or none.
    Malformed(&'static str),
    /// Its first line is longer than a whole head may be.
    UriTooLong,
    /// Its header fields are too many or too long.
    FieldsTooLarge(&'static str),
    /// Its head did not arrive in time.
    Late,
    /// The responses before it on this connection are not read.
    Unread,
}

/// What is wrong with a request over HTTP/2, if anything is (RFC 9113 section 8.3.1).
pub(super) fn check(uri: &Uri, headers: &HeaderMap) -> Option<Refused> {
    let count = |name| headers.get_all(name).iter().count();
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, more) = (hosts.next(), hosts.next());
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    let named = authority.or(host.map(|host| host.as_bytes()));
    let why = if more.is_some() {
        "`Host` came more than once"
    } else if named.is_none() {
        "`:authority` is missing"
    } else if named.and_then(Authority::parse).is_none() {
        "`:authority` is not a host with or without a port"
    } else if let (Some(authority), Some(host)) = (authority, host)
        && !authority.eq_ignore_ascii_case(host.as_bytes())
    {
        "`Host` and `:authority` are not the same"
    } else if count(header::AUTHORIZATION) > 1 {
        "`Authorization` came more than once"
    } else if count(header::CONTENT_TYPE) > 1 {
        "`Content-Type` came more than once"
    } else {
        return None;
    };
    Some(Refused::Malformed(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &'static str, fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        check(&Uri::from_static(uri), &headers).is_some()
    }

    #[test]
    fn over_http_2_a_request_has_one_host_and_one_caller() {
        assert!(!refused("http://a/", &[]));
        assert!(!refused(
            "http://a/",
            &[("host", "A"), ("authorization", "x")]
        ));
        assert!(!refused("/", &[("host", "a:80")]));
        assert!(refused("/", &[]));
        assert!(refused("http://a/", &[("host", "b")]));
        assert!(refused("http://a/", &[("host", "a"), ("host", "a")]));
        assert!(refused("http://user@a/", &[]));
        assert!(refused("/", &[("host", "a/b")]));
        assert!(refused(
            "http://a/",
            &[("authorization", "x"), ("authorization", "y")]
        ));
        assert!(refused(
            "http://a/",
            &[("content-type", "x"), ("content-type", "x")]
        ));
    }
}
