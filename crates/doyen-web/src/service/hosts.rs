//! For which names the service answers.

use std::fmt;

use doyen_core::settings::{Raw, Setting, Wrong};
use doyen_http1::Authority;

/// A name the service answers for: `api.example.com`, `api.example.com:8443`, or `*.example.com` for every name below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName {
    /// In lower case, without a dot at the end; for a wildcard what stands after the star, with its dot.
    name: String,
    below: bool,
    /// Any port when there is none.
    port: Option<u16>,
}

/// A text that names no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAHost {
    /// It is not a name with or without a port.
    Malformed,
    /// A `*` that is not the first part of a name with at least two others.
    Wildcard,
}

impl HostName {
    /// Reads a name.
    ///
    /// ```
    /// use doyen_web::HostName;
    ///
    /// let names = HostName::parse("*.example.com").unwrap();
    /// assert!(names.is("API.example.com:443") && !names.is("example.com") && !names.is("api.example.com.evil.test"));
    /// ```
    ///
    /// # Errors
    ///
    /// It is no name, or a `*` stands where it would mean too much.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.contains('*') {
            return Err(NotAHost::Wildcard);
        }
        let read = Authority::parse(rest.as_bytes()).ok_or(NotAHost::Malformed)?;
        let name = plain(read.host);
        // `*.com` would be half of the internet, and an address has nothing below it.
        let address =
            name.starts_with('[') || name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if below && (address || !name.contains('.')) {
            return Err(NotAHost::Wildcard);
        }
        Ok(Self {
            name: if below { format!(".{name}") } else { name },
            below,
            port: read.port,
        })
    }

    /// True when a request to this host and port is meant for it.
    pub fn is(&self, authority: &str) -> bool {
        Authority::parse(authority.as_bytes()).is_some_and(|asked| self.answers(asked))
    }

    fn answers(&self, asked: Authority<'_>) -> bool {
        let host = asked.host.strip_suffix('.').unwrap_or(asked.host);
        let named = if self.below {
            let at = host.len().checked_sub(self.name.len());
            // `*` stands for something.
            at.filter(|at| *at > 0)
                .and_then(|at| host.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(&self.name))
        } else {
            host.eq_ignore_ascii_case(&self.name)
        };
        named && (self.port.is_none() || self.port == asked.port)
    }
}

fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Completes the sentence "it must be ...".
impl fmt::Display for NotAHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAHost::Malformed => {
                "a host such as `api.example.com`, `api.example.com:8443` or `*.example.com`: no scheme, no path, other letters as `xn--..`"
            }
            NotAHost::Wildcard => {
                "a host such as `*.example.com`: `*` is the whole first part of a name, with at least two others after it. For every host leave the list empty"
            }
        })
    }
}

impl std::error::Error for NotAHost {}

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
    fn a_name_answers_for_itself() {
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
    fn what_is_no_name_is_refused() {
        use NotAHost::{Malformed, Wildcard};
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
