//! The CORS policy, prepared at startup. `pipeline/cors.rs` applies it.

use std::fmt;
use std::time::Duration;

use doyen_core::{CredentialHeader, Place};
use doyen_schema::contract::Operation;
use http::HeaderValue;

use super::Origin;

/// Headers that a page may send: everything that Doyen itself reads. `*` would not cover
/// `authorization`.
const REQUEST_HEADERS: [&str; 9] = [
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "x-api-key",
    "x-request-id",
    "traceparent",
    "tracestate",
];

/// Headers that a page may read.
const RESPONSE_HEADERS: [&str; 9] = [
    "allow",
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
    "x-request-id",
];

/// The pages of other origins that may call the API (WHATWG Fetch section 3.3). Without one in
/// [`EdgeOptions`](super::EdgeOptions) no page of another origin may.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    any: bool,
    pub(crate) credentials: bool,
    pub(crate) max_age: HeaderValue,
    pub(crate) request_headers: HeaderValue,
    pub(crate) response_headers: HeaderValue,
}

/// Origins that cannot be combined with each other or with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCors {
    /// `*` with credentials: every page could act on behalf of its visitors.
    AnyWithCredentials,
    /// `*` next to other origins.
    AnyAmongOthers,
}

impl fmt::Display for InvalidCors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidCors::AnyWithCredentials => {
                "credentials cannot be combined with the origin `*`: every page could act on behalf of its visitors. List each origin"
            }
            InvalidCors::AnyAmongOthers => {
                "`*` already includes every other origin. Keep either `*` or the list"
            }
        })
    }
}

impl std::error::Error for InvalidCors {}

impl Cors {
    /// Allows pages of these origins. With `credentials` browsers send cookies. Browsers cache the
    /// result of a preflight for `max_age`.
    ///
    /// # Errors
    ///
    /// Returns an error for `*` with other origins or with credentials.
    pub fn new(
        origins: Vec<Origin>,
        credentials: bool,
        max_age: Duration,
    ) -> Result<Self, InvalidCors> {
        let any = origins.iter().any(Origin::is_any);
        if any && credentials {
            return Err(InvalidCors::AnyWithCredentials);
        }
        if any && origins.len() > 1 {
            return Err(InvalidCors::AnyAmongOthers);
        }
        Ok(Self {
            origins: origins.into_iter().map(|origin| origin.0).collect(),
            any,
            credentials,
            max_age: HeaderValue::from(max_age.as_secs()),
            request_headers: list(&REQUEST_HEADERS, []),
            response_headers: list(&RESPONSE_HEADERS, []),
        })
    }

    /// Adds the headers that these routes read and send.
    pub(crate) fn add_headers(
        &mut self,
        operations: &[Operation],
        credentials: &[CredentialHeader],
    ) {
        let read = operations
            .iter()
            .flat_map(|operation| {
                operation
                    .parameters
                    .iter()
                    .chain(&operation.hidden_parameters)
            })
            .filter(|parameter| parameter.place == Place::Header);
        let of_handlers = operations
            .iter()
            .flat_map(|operation| &operation.credentials)
            .filter_map(|(scheme, _)| scheme.credential_header());
        let credentials: Vec<CredentialHeader> =
            credentials.iter().cloned().chain(of_handlers).collect();
        // Pages cannot send `Cookie` themselves.
        let credentials = credentials
            .iter()
            .filter(|header| **header != CredentialHeader::Cookie)
            .map(CredentialHeader::as_str);
        let read = read.map(|parameter| &*parameter.name).chain(credentials);
        self.request_headers = list(&REQUEST_HEADERS, read);
        let sent = operations
            .iter()
            .flat_map(|operation| {
                let answers = operation.answers.iter();
                let of_answers = answers.flat_map(|answer| &answer.headers);
                of_answers.chain(&operation.common_headers)
            })
            // No page can read it.
            .filter(|header| !header.name.eq_ignore_ascii_case("set-cookie"))
            .map(|header| &*header.name);
        let of_problems = operations
            .iter()
            .flat_map(|operation| &operation.extras)
            .flat_map(|extra| extra.headers)
            .map(|(name, _)| *name);
        self.response_headers = list(&RESPONSE_HEADERS, sent.chain(of_problems));
    }

    /// Returns the value of `Access-Control-Allow-Origin` for a page of this origin, or `None` if
    /// it is not allowed. Browsers write each origin in one way only, so the bytes are compared.
    pub(crate) fn allows(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().find(|known| *known == origin).cloned()
    }
}

/// Joins the names with commas, without duplicates.
fn list<'a>(own: &[&'a str], others: impl IntoIterator<Item = &'a str>) -> HeaderValue {
    let mut names: Vec<String> = Vec::new();
    for name in own.iter().copied().chain(others) {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wildcard_is_allowed_only_alone_and_without_credentials() {
        let origins = |texts: &[&str]| {
            let all = texts.iter().map(|text| Origin::parse(text).unwrap());
            all.collect::<Vec<_>>()
        };
        let hour = Duration::from_secs(3600);
        assert!(Cors::new(origins(&["*"]), false, hour).is_ok());
        assert_eq!(
            Cors::new(origins(&["*"]), true, hour).unwrap_err(),
            InvalidCors::AnyWithCredentials
        );
        assert_eq!(
            Cors::new(origins(&["https://a.example", "*"]), false, hour).unwrap_err(),
            InvalidCors::AnyAmongOthers
        );
    }
}
