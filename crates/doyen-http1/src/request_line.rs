//! The request line: `GET /path HTTP/1.1`.

use std::ops::Range;

use crate::authority::Authority;
use crate::bytes::{TargetClasses, token_length};
use crate::error::{Result, malformed};

/// A valid request line. Positions count from the first byte of the head.
#[derive(Debug)]
pub(crate) struct RequestLine {
    pub(crate) range: Range<usize>,
    /// The authority of a target in absolute form.
    pub(crate) authority: Option<Range<usize>>,
    /// True for HTTP/1.0, which has no chunked bodies and does not require `Host`.
    pub(crate) is_http10: bool,
}

impl RequestLine {
    /// Parses a line that starts at this position of the head.
    #[inline]
    pub(crate) fn parse(line: &[u8], start: usize) -> Result<Self> {
        let method = token_length(line);
        let Some(b' ') = line.get(method).filter(|_| method > 0) else {
            return malformed("The request line must start with a method and a space.");
        };
        let rest = &line[method + 1..];
        let (target, is_http10) = match (
            rest.strip_suffix(b" HTTP/1.1"),
            rest.strip_suffix(b" HTTP/1.0"),
        ) {
            (Some(target), _) => (target, false),
            (None, Some(target)) => (target, true),
            (None, None) => {
                return malformed("The request line must end with `HTTP/1.1` or `HTTP/1.0`.");
            }
        };
        let classes = TargetClasses::of(target);
        if classes.has_forbidden() || target.is_empty() {
            return malformed(INVALID_TARGET);
        }
        let method_name = &line[..method];
        let authority = match target[0] {
            b'/' => None,
            b'*' if target.len() == 1 && method_name == b"OPTIONS" => None,
            _ => Some(authority(target)?),
        };
        if method_name == b"CONNECT" {
            return malformed("`CONNECT` is not supported.");
        }
        // The parser accepts some of the rare characters in paths. It would reject the others
        // without an explanation.
        if (classes.has_rare() || authority.is_some()) && http::Uri::try_from(target).is_err() {
            return malformed(INVALID_TARGET);
        }
        let at = start + method + 1;
        Ok(Self {
            range: start..start + line.len(),
            authority: authority.map(|range| at + range.start..at + range.end),
            is_http10,
        })
    }
}

const INVALID_TARGET: &str = "The request target is invalid.";

/// Returns the position of the authority in `http://authority/path`.
fn authority(target: &[u8]) -> Result<Range<usize>> {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme)
    });
    let Some(scheme) = scheme else {
        return malformed("The request target must be a path or an absolute URL.");
    };
    let rest = &target[scheme.len()..];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    if !Authority::is_valid(&rest[..end]) {
        return malformed("The host in the request target is invalid.");
    }
    Ok(scheme.len()..scheme.len() + end)
}
