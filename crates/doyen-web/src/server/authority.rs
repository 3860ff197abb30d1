//! The host and port of a request: `Host`, the authority of a whole address, `:authority`.
//!
//! Narrower than RFC 3986: no user, no percent-encoding, nothing but letters, digits, `-`, `.` and `_` in a name. No name on the internet
//! needs more, and a proxy that reads the rest another way than we do is a way around its rules.

use std::net::Ipv6Addr;

use super::head::is_host_letter;

/// The longest name that DNS knows.
const LONGEST: usize = 253;

/// A host, and the port if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets; as it came.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Whether this can be read: the same verdict as that of `parse`, found in one pass for nearly every host.
    pub(super) fn is_one(text: &[u8]) -> bool {
        let mut end = 0;
        let mut dot = true;
        while let Some(byte) = text.get(end).copied() {
            if byte == b'.' && dot || !is_host_letter(byte) {
                break;
            }
            dot = byte == b'.';
            end += 1;
        }
        match text.get(end..) {
            Some([]) => end > 0 && end <= LONGEST + 1,
            Some([b':', digits @ ..]) if end > 0 && end <= LONGEST + 1 => port(digits).is_some(),
            _ => Authority::parse(text).is_some(),
        }
    }

    /// Reads `host` or `host:port`; `None` for everything else.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let name = text
            .iter()
            .position(|byte| *byte == b':')
            .unwrap_or(text.len());
        let end = match text.first()? {
            b'[' => text.iter().position(|byte| *byte == b']')? + 1,
            _ => name,
        };
        let (host, rest) = text.split_at(end);
        let host = std::str::from_utf8(host).ok()?;
        let fits = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
            None => is_name(host.as_bytes()),
        };
        if !fits {
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
    name.iter().all(|byte| is_host_letter(*byte))
        && !name.is_empty()
        && name.len() <= LONGEST + 1
        && name[0] != b'.'
        && !name.windows(2).any(|two| two == b"..")
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
    fn a_host_is_read_with_its_port() {
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
            let read = Authority::parse(text.as_bytes()).unwrap();
            assert_eq!((read.host, read.port), (host, port), "{text}");
            assert!(Authority::is_one(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_not_read() {
        let long = "a".repeat(LONGEST + 2);
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
            assert!(!Authority::is_one(text.as_bytes()), "{text:?}");
        }
    }
}
