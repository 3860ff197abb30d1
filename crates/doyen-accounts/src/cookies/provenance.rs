//! The origin of a request, as reported by the browser.

use doyen_core::{Refusal, RequestCredentials};
use doyen_schema::contract::Contract;
use doyen_web::Request;
use doyen_web::extract::FromRequestParts;

/// What the browser reports about the page that sends a request. A page cannot change it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provenance {
    fetch_site: Option<String>,
    origin: Option<String>,
    host: Option<String>,
}

impl Provenance {
    pub(crate) fn of(credentials: &RequestCredentials<'_>) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        Self {
            fetch_site: text(credentials.fetch_site),
            origin: text(credentials.origin),
            host: text(credentials.host),
        }
    }

    /// Returns true if a page of this origin sent it.
    ///
    /// With `none` (the user opened the page without another one, such as a bookmark) and without
    /// the header, the `Origin` must be ours. A request with neither is rejected.
    pub(crate) fn is_own(&self) -> bool {
        match self.fetch_site.as_deref() {
            Some("same-origin") => true,
            Some("none") | None => self.origin_is_own(),
            Some(_) => false,
        }
    }

    /// Returns true if a page of another origin sent it. Other clients than browsers send no such
    /// header.
    pub(crate) fn is_foreign(&self) -> bool {
        (self.fetch_site.is_some() || self.origin.is_some()) && !self.is_own()
    }

    fn origin_is_own(&self) -> bool {
        let (Some(origin), Some(host)) = (&self.origin, &self.host) else {
            return false;
        };
        match origin.split_once("://") {
            Some(("https", authority)) => authority.eq_ignore_ascii_case(host),
            // Without TLS only on loopback, where browsers accept a `Secure` cookie.
            Some(("http", authority)) => authority.eq_ignore_ascii_case(host) && is_loopback(host),
            _ => false,
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || name == "127.0.0.1" || name == "[::1]"
}

impl FromRequestParts for Provenance {
    async fn from_request_parts(request: &mut Request) -> Result<Option<Self>, Refusal> {
        let parts = &request.parts;
        let text = |name: &str| parts.header(name).map(str::to_owned);
        let host = parts.head.uri.authority().map(ToString::to_string);
        Ok(Some(Self {
            fetch_site: text("sec-fetch-site"),
            origin: text("origin"),
            host: host.or_else(|| text("host")),
        }))
    }

    fn describe(_: &mut Contract<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(site: Option<&str>, origin: Option<&str>) -> Provenance {
        Provenance::of(&RequestCredentials {
            fetch_site: site,
            origin,
            host: Some("api.example.com"),
            ..RequestCredentials::default()
        })
    }

    #[test]
    fn s4_only_a_page_of_this_origin_is_own() {
        for (site, origin, own) in [
            (Some("same-origin"), None, true),
            (Some("same-origin"), Some("https://api.example.com"), true),
            (Some("same-site"), Some("https://api.example.com"), false),
            (Some("cross-site"), Some("https://api.example.com"), false),
            (Some("cross-site"), None, false),
            (Some(""), Some("https://api.example.com"), false),
            (Some("none"), None, false),
            (Some("none"), Some("https://api.example.com"), true),
            (None, Some("https://api.example.com"), true),
            (None, Some("https://API.example.com"), true),
            (None, Some("http://api.example.com"), false),
            (None, Some("https://api.example.com.evil.example"), false),
            (None, Some("https://evil.example"), false),
            (None, Some("https://api.example.com:8443"), false),
            (None, Some("null"), false),
            (None, Some(""), false),
            (None, None, false),
        ] {
            assert_eq!(from(site, origin).is_own(), own, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn a_program_is_not_foreign() {
        assert!(!from(None, None).is_foreign());
        assert!(!from(Some("same-origin"), None).is_foreign());
        assert!(from(Some("none"), None).is_foreign());
        assert!(from(Some("cross-site"), None).is_foreign());
        assert!(from(None, Some("https://evil.example")).is_foreign());
    }

    #[test]
    fn on_this_machine_a_page_needs_no_tls() {
        for (host, own) in [
            ("localhost:8000", true),
            ("127.0.0.1:8000", true),
            ("[::1]:8000", true),
            ("[::1]", true),
            ("intranet:8000", false),
        ] {
            let provenance = Provenance {
                origin: Some(format!("http://{host}")),
                host: Some(host.to_owned()),
                fetch_site: None,
            };
            assert_eq!(provenance.is_own(), own, "{host}");
        }
    }
}
