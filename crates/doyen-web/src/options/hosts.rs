//! Host names of the service.

use std::fmt;

use doyen_http1::Authority;
use doyen_settings::{Raw, Setting, Wrong};

/// A host name of the service: `api.example.com`, `api.example.com:8443`, or `*.example.com` for
/// all subdomains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// In lower case, without a final dot. For a wildcard the part after the star, with its dot.
    name: String,
    is_wildcard: bool,
    /// `None` for any port.
    port: Option<u16>,
}

/// A text that is not a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHostName {
    /// Not a name with an optional port.
    Malformed,
    /// A `*` that is not the first label of a name with at least two others.
    Wildcard,
}

impl HostName {
    /// Parses a name.
    ///
    /// ```
    /// use doyen_web::HostName;
    ///
    /// let names = HostName::parse("*.example.com").unwrap();
    /// assert!(names.is("API.example.com:443"));
    /// assert!(!names.is("example.com") && !names.is("api.example.com.evil.test"));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not a host name, or if its `*` would cover too much.
    pub fn parse(text: &str) -> Result<Self, InvalidHostName> {
        let (is_wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(InvalidHostName::Wildcard);
        }
        let parsed = Authority::parse(rest.as_bytes()).ok_or(InvalidHostName::Malformed)?;
        let name = plain(parsed.host);
        // `*.com` would cover too much, and an address has no subdomains.
        let is_address =
            name.starts_with('[') || name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if is_wildcard && (is_address || !name.contains('.')) {
            return Err(InvalidHostName::Wildcard);
        }
        Ok(Self {
            name: if is_wildcard {
                format!(".{name}")
            } else {
                name
            },
            is_wildcard,
            port: parsed.port,
        })
    }

    /// True if this host and port match the name.
    pub fn is(&self, authority: &str) -> bool {
        Authority::parse(authority.as_bytes()).is_some_and(|authority| self.matches(authority))
    }

    /// True for `localhost` and IP addresses. A page cannot bind them to an address of its choice
    /// (DNS rebinding), as it can with a name.
    pub(crate) fn is_fixed(authority: &str) -> bool {
        Authority::parse(authority.as_bytes()).is_some_and(|authority| {
            let host = authority.host;
            host.starts_with('[')
                || host.parse::<std::net::Ipv4Addr>().is_ok()
                || host.eq_ignore_ascii_case("localhost")
        })
    }

    fn matches(&self, authority: Authority<'_>) -> bool {
        let host = authority.host.strip_suffix('.').unwrap_or(authority.host);
        let is_match = if self.is_wildcard {
            let at = host.len().checked_sub(self.name.len());
            // `*` matches at least one character.
            at.filter(|at| *at > 0)
                .and_then(|at| host.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(&self.name))
        } else {
            host.eq_ignore_ascii_case(&self.name)
        };
        is_match && (self.port.is_none() || self.port == authority.port)
    }
}

fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Completes the sentence "it must be ...".
impl fmt::Display for InvalidHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidHostName::Malformed => {
                "a host such as `api.example.com`, `api.example.com:8443` or `*.example.com`: without scheme and path, and with international names in the form `xn--..`"
            }
            InvalidHostName::Wildcard => {
                "a host such as `*.example.com`: `*` must be the whole first label, followed by at least two others. To allow every host, leave the list empty"
            }
        })
    }
}

impl std::error::Error for InvalidHostName {}

impl Setting for HostName {
    fn kind() -> String {
        "host".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        HostName::parse(raw.text().unwrap_or_default())
            .map_err(|error| Wrong::must_be(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_itself_and_a_wildcard_its_subdomains() {
        for (name, yes, no) in [
            (
                "Api.example.com",
                &[
                    "api.example.com",
                    "API.EXAMPLE.COM",
                    "api.example.com.",
                    "api.example.com:8443",
                ][..],
                &[
                    "example.com",
                    "xapi.example.com",
                    "a.api.example.com",
                    "api.example.com.evil.test",
                    "",
                ][..],
            ),
            (
                "a.b:8443",
                &["a.b:8443", "A.b.:8443"],
                &["a.b", "a.b:443", "a.b:8444"],
            ),
            (
                "*.example.com",
                &["a.example.com", "A.B.Example.com:1", "a.example.com."],
                &[
                    "example.com",
                    ".example.com",
                    "aexample.com",
                    "example.com.evil.test",
                    "a.example.com.evil.test",
                    "evil.test",
                ],
            ),
            ("127.0.0.1", &["127.0.0.1:80"], &["127.0.0.2", "localhost"]),
            ("[::1]:80", &["[::1]:80"], &["[::1]", "[::2]:80"]),
            ("localhost", &["localhost:3000"], &["localhost.evil.test"]),
        ] {
            let name = HostName::parse(name).unwrap();
            yes.iter()
                .for_each(|host| assert!(name.is(host), "{name:?} {host}"));
            no.iter()
                .for_each(|host| assert!(!name.is(host), "{name:?} {host}"));
        }
    }

    #[test]
    fn an_invalid_name_is_rejected() {
        use InvalidHostName::{Malformed, Wildcard};
        for (text, why) in [
            ("", Malformed),
            ("https://a", Malformed),
            ("a/b", Malformed),
            ("a b", Malformed),
            ("a:", Malformed),
            ("b\u{fc}cher.example", Malformed),
            ("*.", Malformed),
            ("*", Wildcard),
            ("**.a.b", Wildcard),
            ("*.com", Wildcard),
            ("*.127.0.0.1", Wildcard),
            ("*.[::1]", Wildcard),
            ("a.*.b", Wildcard),
            ("a*.b.c", Wildcard),
            ("*:80", Wildcard),
        ] {
            assert_eq!(HostName::parse(text), Err(why), "{text}");
        }
    }
}
