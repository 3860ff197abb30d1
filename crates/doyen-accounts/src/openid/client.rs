//! HTTP requests to the provider: only to configured hosts, without redirects, with limits on time
//! and size.

use std::time::Duration;

use doyen_core::Unexpected;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum size of a response body.
const MAX_RESPONSE_BYTES: usize = 256 << 10;

/// Calls the provider.
pub(super) struct ProviderClient {
    client: Client,
    hosts: Vec<String>,
    /// True if `http` to loopback is allowed, which it is not in production.
    loopback: bool,
}

impl ProviderClient {
    pub(super) fn new(hosts: Vec<String>, loopback: bool) -> Result<Self, String> {
        let client = Client::builder()
            .redirect(Policy::none())
            // Also if another crate of the build needs the HTTP/2 of the library.
            .http1_only()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            // A proxy from the environment could receive secrets.
            .no_proxy()
            .referer(false)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            hosts,
            loopback,
        })
    }

    /// Returns the URL if it may be requested: `https` to a known host.
    pub(super) fn permit_call(&self, text: &str) -> Option<Url> {
        let url = secure(text, self.loopback)?;
        let host = url.host_str()?;
        self.hosts
            .iter()
            .any(|known| known.eq_ignore_ascii_case(host))
            .then_some(url)
    }

    /// Returns the URL if a browser may be sent to it: `https` to any host.
    pub(super) fn permit_redirect(&self, text: &str) -> Option<Url> {
        secure(text, self.loopback)
    }

    /// Requests a JSON document.
    pub(super) async fn get(&self, url: &Url) -> Result<Value, Unexpected> {
        match self.call(self.client.get(url.clone())).await? {
            (StatusCode::OK, Some(json)) => Ok(json),
            (status, _) => Err(Unexpected::unavailable(format!(
                "the OpenID provider answers {} with {status}",
                url.path()
            ))),
        }
    }

    /// Sends a form. Returns the JSON of a 200, and `None` for a client error.
    pub(super) async fn post(
        &self,
        url: &Url,
        basic: Option<(&str, &str)>,
        form: &[(&str, &str)],
    ) -> Result<Option<Value>, Unexpected> {
        let mut request = self
            .client
            .post(url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(encode(form));
        if let Some((name, password)) = basic {
            request = request.basic_auth(name, Some(password));
        }
        match self.call(request).await? {
            (StatusCode::OK, json) => Ok(json),
            (status, _) if status.is_client_error() => Ok(None),
            (status, _) => Err(Unexpected::unavailable(format!(
                "the OpenID provider answers {} with {status}",
                url.path()
            ))),
        }
    }

    async fn call(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Option<Value>), Unexpected> {
        // Without the URL, whose query may contain a code.
        let away = |error: reqwest::Error| Unexpected::unavailable(error.without_url());
        let mut response = request.send().await.map_err(away)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(away)? {
            if body.len() + part.len() > MAX_RESPONSE_BYTES {
                return Err(Unexpected::unavailable(
                    "the OpenID provider answers with more than is read",
                ));
            }
            body.extend_from_slice(&part);
        }
        Ok((status, doyen_auth::strict_json(&body)))
    }
}

fn secure(text: &str, loopback: bool) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return None;
    }
    let here = || matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme() {
        "https" => Some(url),
        "http" if loopback && here() => Some(url),
        _ => None,
    }
}

/// Adds parameters to the query of a URL.
pub(super) fn with_query(url: &Url, pairs: &[(&str, &str)]) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

/// Encodes a form body.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        for (separator, part) in [("&", name), ("=", value)] {
            if !(separator == "&" && text.is_empty()) {
                text.push_str(separator);
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_hosts_are_called_and_only_by_https() {
        let client = |loopback| {
            let hosts = vec!["id.example.com".to_owned(), "127.0.0.1".to_owned()];
            ProviderClient::new(hosts, loopback).unwrap()
        };
        for (address, known) in [
            ("https://id.example.com/token", true),
            ("https://ID.example.com/token", true),
            ("http://id.example.com/token", false),
            ("https://id.example.com.evil.example/token", false),
            ("https://evil.example/?id.example.com", false),
            ("https://id.example.com@evil.example/", false),
            ("https://user:secret@id.example.com/", false),
            ("https://169.254.169.254/latest", false),
            ("file:///etc/passwd", false),
            ("gopher://id.example.com/", false),
            ("/token", false),
            ("", false),
        ] {
            assert_eq!(
                client(false).permit_call(address).is_some(),
                known,
                "{address}"
            );
            assert_eq!(
                client(true).permit_call(address).is_some(),
                known,
                "{address}"
            );
        }
        assert!(
            client(true)
                .permit_call("http://127.0.0.1:81/token")
                .is_some()
        );
        assert!(
            client(false)
                .permit_call("http://127.0.0.1:81/token")
                .is_none()
        );
    }

    #[test]
    fn a_form_is_encoded() {
        assert_eq!(
            encode(&[("a", "x y"), ("b", "&=é+")]),
            "a=x%20y&b=%26%3D%C3%A9%2B"
        );
    }
}
