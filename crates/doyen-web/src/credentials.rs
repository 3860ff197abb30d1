//! The credentials of a request, kept for later.

use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::{Caller, Identify, Refusal};
use http::{HeaderName, HeaderValue, header};

use crate::pipeline;
use crate::request::Parts;

/// Headers that can carry no credentials, and take the most memory.
const DROPPED: [HeaderName; 8] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::USER_AGENT,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_EXTENSIONS,
];

/// The credentials of a request, to identify its caller again: a connection that stays open must
/// end when its caller loses access.
pub struct RetainedCredentials {
    head: http::request::Parts,
    address: Option<IpAddr>,
}

impl std::fmt::Debug for RetainedCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetainedCredentials")
            .finish_non_exhaustive()
    }
}

impl RetainedCredentials {
    /// Keeps the credentials of a request. Its target is kept too, for a key in the query.
    pub fn of(parts: &Parts) -> Self {
        let mut head = http::Request::new(()).into_parts().0;
        // Copies: clones would keep the whole buffer that the request was read into.
        let target = parts.head.uri.to_string();
        head.uri = target.parse().unwrap_or_else(|_| parts.head.uri.clone());
        let headers = parts.head.headers.iter();
        let kept = headers.filter(|(name, _)| !DROPPED.contains(name));
        for (name, value) in kept {
            let name = HeaderName::from_bytes(name.as_ref()).unwrap_or_else(|_| name.clone());
            let copy = HeaderValue::from_bytes(value.as_bytes());
            let value = copy.unwrap_or_else(|_| value.clone());
            head.headers.append(name, value);
        }
        Self {
            head,
            address: parts.client,
        }
    }

    /// Returns the headers, to store them.
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        self.head.headers.iter().filter_map(text).collect()
    }

    /// Restores credentials from stored headers. Names and values that are no headers are left out.
    pub fn restore(
        headers: impl IntoIterator<Item = (String, String)>,
        address: Option<IpAddr>,
    ) -> Self {
        let mut head = http::Request::new(()).into_parts().0;
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                head.headers.append(name, value);
            }
        }
        Self { head, address }
    }

    /// Returns true if only a cookie can identify the caller: a browser sends it for any page.
    pub fn is_cookie_only(&self) -> bool {
        let has = |name: HeaderName| self.head.headers.contains_key(name);
        has(header::COOKIE)
            && !has(header::AUTHORIZATION)
            && !has(HeaderName::from_static("x-api-key"))
    }

    /// Identifies the caller as for a GET request.
    ///
    /// # Errors
    ///
    /// Returns the problem of the identification: the credentials are no longer valid, or it is
    /// not available.
    pub async fn identify(&self, identify: &dyn Identify) -> Result<Option<Arc<Caller>>, Refusal> {
        pipeline::identify_head(identify, &self.head, self.address, None).await
    }
}
