//! The origin of a page, as a setting.

use std::fmt;
use std::net::Ipv6Addr;

use doyen_settings::{Raw, Setting, Wrong};
use http::HeaderValue;

/// The origin of a page: scheme, host and port as browsers send them, or `*` for every origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(pub(super) HeaderValue);

/// A text that is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidOrigin {
    /// Not of the form `scheme://host` or `scheme://host:port`.
    Malformed,
    /// Text after the host and port, including a single slash.
    Path,
    /// A `*` within an origin.
    Wildcard,
    /// `null`, the origin of every sandboxed page.
    Null,
}

impl Origin {
    /// Parses an origin. As in browsers, scheme and host become lower case, and the default port of
    /// `http` and `https` is omitted.
    ///
    /// ```
    /// use doyen_web::Origin;
    ///
    /// let origin = Origin::parse("https://App.Example.com:443");
    /// assert_eq!(origin, Origin::parse("https://app.example.com"));
    /// assert!(Origin::parse("https://app.example.com/").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not an origin.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self(HeaderValue::from_static("*")));
        }
        if text.eq_ignore_ascii_case("null") {
            return Err(InvalidOrigin::Null);
        }
        if text.contains('*') {
            return Err(InvalidOrigin::Wildcard);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOrigin::Malformed)?;
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(InvalidOrigin::Path);
        }
        let scheme = Some(scheme.to_ascii_lowercase()).filter(|scheme| is_scheme(scheme));
        let scheme = scheme.ok_or(InvalidOrigin::Malformed)?;
        // The last colon outside brackets. Those of an IPv6 address are inside.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let host = host_of(host).ok_or(InvalidOrigin::Malformed)?;
        let port = port.map(port_of).transpose()?;
        let default_port = match &*scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        let text = match port {
            Some(port) if Some(port) != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        HeaderValue::try_from(text)
            .map(Self)
            .map_err(|_| InvalidOrigin::Malformed)
    }

    pub(super) fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn host_of(text: &str) -> Option<String> {
    if let Some(inside) = text.strip_prefix('[') {
        let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_valid = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_valid && !text.is_empty() && !text.starts_with('.') && !text.contains(".."))
        .then(|| text.to_ascii_lowercase())
}

fn port_of(text: &str) -> Result<u16, InvalidOrigin> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.then(|| text.parse().ok()).flatten();
    port.ok_or(InvalidOrigin::Malformed)
}

/// Completes the sentence "it must be ...".
impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidOrigin::Malformed => {
                "an origin such as `https://app.example.com` or `http://localhost:5173`, with international names in the form `xn--..`"
            }
            InvalidOrigin::Path => {
                "an origin such as `https://app.example.com`, without a path and without a final slash"
            }
            InvalidOrigin::Wildcard => {
                "a whole origin such as `https://app.example.com`: `*` cannot be part of an origin. List each origin"
            }
            InvalidOrigin::Null => {
                "an origin such as `https://app.example.com`: `null` is the origin of every sandboxed page"
            }
        })
    }
}

impl std::error::Error for InvalidOrigin {}

impl Setting for Origin {
    fn kind() -> String {
        "origin".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        Origin::parse(raw.text().unwrap_or_default())
            .map_err(|error| Wrong::must_be(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_normalized_like_in_browsers() {
        for (text, normalized) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("http://localhost:05173", "http://localhost:5173"),
            ("http://[0:0::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("*", "*"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().0, normalized, "{text}");
        }
    }

    #[test]
    fn an_invalid_origin_is_rejected() {
        use InvalidOrigin::{Malformed, Null, Path, Wildcard};
        for (text, why) in [
            ("https://app.example.com/", Path),
            ("https://app.example.com/app", Path),
            ("https://app.example.com?a", Path),
            ("https://app.example.com#a", Path),
            ("https://app.example.com\\", Path),
            ("https://*.example.com", Wildcard),
            ("*://app.example.com", Wildcard),
            ("https://app.example.com:*", Wildcard),
            ("null", Null),
            ("NULL", Null),
            ("", Malformed),
            ("app.example.com", Malformed),
            ("https:app.example.com", Malformed),
            ("https://", Malformed),
            ("https://:443", Malformed),
            ("https://app.example.com:", Malformed),
            ("https://app.example.com:+1", Malformed),
            ("https://app.example.com:65536", Malformed),
            ("https://user@app.example.com", Malformed),
            ("https://app..example.com", Malformed),
            ("https://b\u{fc}cher.example", Malformed),
            ("https://app.example.com,https://b.example", Path),
            ("https://app.example.com b", Malformed),
            ("https://[::1", Malformed),
            ("1https://app.example.com", Malformed),
        ] {
            assert_eq!(Origin::parse(text), Err(why), "{text}");
        }
    }
}
