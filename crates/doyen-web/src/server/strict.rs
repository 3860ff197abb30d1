//! What HTTP/1.1 demands of a request and the parser lets pass (RFC 9112 sections 3.2 and 6.1).
//!
//! A proxy in front that reads such a request another way than we do is a way to smuggle a second one past it: it is refused, and the
//! connection closed. A length beside a transfer coding is the parser's: it reads the coding and closes after the answer.

use http::{HeaderMap, Version, header};

/// Rides in a request's extensions: why it is refused before anything is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// What is wrong with the header of a request, if anything is.
pub(super) fn check(version: Version, headers: &HeaderMap) -> Option<Malformed> {
    if version > Version::HTTP_11 {
        return None;
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 {
        return Some(Malformed("`Host` came more than once"));
    }
    if hosts == 0 && version == Version::HTTP_11 {
        return Some(Malformed("`Host` is missing"));
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let plain = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    };
    (!plain).then_some(Malformed(
        "`Transfer-Encoding` is read once, as `chunked` and nothing else",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(version: Version, fields: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        check(version, &headers).is_some()
    }

    #[test]
    fn each_way_to_be_read_twice_is_refused() {
        let host = ("host", "a");
        let chunked = ("transfer-encoding", "chunked");
        assert!(!wrong(Version::HTTP_11, &[host, chunked]));
        assert!(!wrong(
            Version::HTTP_11,
            &[host, ("transfer-encoding", "Chunked")]
        ));
        assert!(!wrong(Version::HTTP_10, &[]));
        assert!(!wrong(Version::HTTP_2, &[]));
        assert!(wrong(Version::HTTP_11, &[]));
        assert!(wrong(Version::HTTP_11, &[host, ("host", "b")]));
        assert!(wrong(Version::HTTP_10, &[host, host]));
        assert!(wrong(Version::HTTP_11, &[host, chunked, chunked]));
        for coding in [",chunked", "gzip, chunked", "chunked, chunked", "xchunked"] {
            assert!(
                wrong(Version::HTTP_11, &[host, ("transfer-encoding", coding)]),
                "{coding}"
            );
        }
    }
}
