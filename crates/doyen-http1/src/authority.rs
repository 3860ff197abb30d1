//! The host and port of a request: `Host`, the authority of an absolute URL, `:authority`.
//!
//! The grammar is narrower than RFC 3986: no user info, no percent-encoding, only letters, digits,
//! `-`, `.` and `_` in a name. DNS names need no more, and the rest is where proxies and servers
//! differ.

use std::net::Ipv6Addr;

use crate::bytes::is_host_byte;

/// Maximum length of a DNS name (RFC 1035), with a final dot.
const MAX_HOST_BYTES: usize = 254;

/// A host with an optional port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The name, the IPv4 address, or the IPv6 address in brackets, as it was received.
    pub host: &'a str,
    /// The port, if there is one.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// True if [`Authority::parse`] succeeds. Nearly every host is checked in one pass.
    pub fn is_valid(text: &[u8]) -> bool {
        let mut end = 0;
        let mut is_after_dot = true;
        while let Some(byte) = text.get(end).copied() {
            if byte == b'.' && is_after_dot || !is_host_byte(byte) {
                break;
            }
            is_after_dot = byte == b'.';
            end += 1;
        }
        match text.get(end..) {
            Some([]) => end > 0 && end <= MAX_HOST_BYTES,
            Some([b':', digits @ ..]) if end > 0 && end <= MAX_HOST_BYTES => port(digits).is_some(),
            _ => Authority::parse(text).is_some(),
        }
    }

    /// Parses `host` or `host:port`. Returns `None` for everything else.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let colon = text
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(text.len());
        let end = match text.first()? {
            b'[' => text.iter().position(|byte| *byte == b']')? + 1,
            _ => colon,
        };
        let (host, rest) = text.split_at(end);
        let host = std::str::from_utf8(host).ok()?;
        let is_valid = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
            None => is_name(host.as_bytes()),
        };
        if !is_valid {
            return None;
        }
        let port = match rest {
            [] => None,
            [b':', digits @ ..] => Some(port(digits)?),
            _ => return None,
        };
        Some(Self { host, port })
    }
}

fn is_name(name: &[u8]) -> bool {
    name.iter().all(|byte| is_host_byte(*byte))
        && !name.is_empty()
        && name.len() <= MAX_HOST_BYTES
        && name[0] != b'.'
        && !name.windows(2).any(|pair| pair == b"..")
}

fn port(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 {
        return None;
    }
    let number = digits.iter().try_fold(0_u32, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    });
    u16::try_from(number?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_parsed_with_its_port() {
        for (text, host, port) in [
            ("a", "a", None),
            ("api.example.com", "api.example.com", None),
            ("api.example.com.", "api.example.com.", None),
            ("API.example.com:8443", "API.example.com", Some(8443)),
            ("127.0.0.1:80", "127.0.0.1", Some(80)),
            ("[::1]", "[::1]", None),
            ("[2001:db8::1]:443", "[2001:db8::1]", Some(443)),
            ("under_score", "under_score", None),
        ] {
            let parsed = Authority::parse(text.as_bytes()).unwrap();
            assert_eq!((parsed.host, parsed.port), (host, port), "{text}");
            assert!(Authority::is_valid(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn an_invalid_host_is_rejected() {
        let long = "a".repeat(MAX_HOST_BYTES + 1);
        for text in [
            "",
            ":",
            ":80",
            "a:",
            "a:+1",
            "a:65536",
            "a:000080",
            "a:80:80",
            "a b",
            "a,b",
            "a/b",
            "a@b",
            "a?b",
            "a#b",
            "a%2eb",
            "a\\b",
            "\"a\"",
            ".a",
            "a..b",
            "[::1",
            "::1",
            "[::1]a",
            "[a]",
            "[::1%25eth0]",
            "a\u{fc}",
            "a\t",
            "a\0",
            &long,
        ] {
            assert_eq!(Authority::parse(text.as_bytes()), None, "{text:?}");
            assert!(!Authority::is_valid(text.as_bytes()), "{text:?}");
        }
    }
}
