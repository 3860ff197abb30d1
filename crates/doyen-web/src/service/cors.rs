//! Whose pages may call, and what their browsers are told. Prepared once, at start; `trip/cors.rs` asks it.

use std::fmt;
use std::time::Duration;

use doyen_core::Place;
use doyen_schema::contract::Operation;
use http::HeaderValue;

use super::Origin;

/// What a page may send besides what it always may: everything that Doyen itself reads. `*` would not cover `authorization`.
const REQUEST: [&str; 9] = [
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

/// What a page may read besides what it always may.
const RESPONSE: [&str; 9] = [
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

/// Which pages may call, and what their browsers are told (WHATWG Fetch, section 3.3). Without one in
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

/// Origins that do not fit with each other or with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongCors {
    /// `*` with credentials: every page there is could act as whoever looks at it.
    AnyWithCredentials,
    /// `*` beside other origins.
    AnyAmongOthers,
}

impl fmt::Display for WrongCors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WrongCors::AnyWithCredentials => {
                "credentials are not possible with the origin `*`: every page could act as whoever looks at it. Name each origin"
            }
            WrongCors::AnyAmongOthers => {
                "`*` is every origin, so others beside it mean nothing. Keep the one or the others"
            }
        })
    }
}

impl std::error::Error for WrongCors {}

impl Cors {
    /// Lets pages of these origins call. With `credentials` browsers send cookies along. Browsers ask again after `max_age`.
    ///
    /// # Errors
    ///
    /// `*` among other origins, or with credentials.
    pub fn new(
        origins: Vec<Origin>,
        credentials: bool,
        max_age: Duration,
    ) -> Result<Self, WrongCors> {
        let any = origins.iter().any(Origin::is_any);
        if any && credentials {
            return Err(WrongCors::AnyWithCredentials);
        }
        if any && origins.len() > 1 {
            return Err(WrongCors::AnyAmongOthers);
        }
        Ok(Self {
            origins: origins.into_iter().map(|origin| origin.0).collect(),
            any,
            credentials,
            max_age: HeaderValue::from(max_age.as_secs()),
            request_headers: list(&REQUEST, []),
            response_headers: list(&RESPONSE, []),
        })
    }

    /// Adds the header fields that these routes read and send.
    pub(crate) fn learn(&mut self, operations: &[Operation]) {
        let read = operations
            .iter()
            .flat_map(|operation| &operation.parameters)
            .filter(|parameter| parameter.place == Place::Header);
        self.request_headers = list(&REQUEST, read.map(|parameter| &*parameter.name));
        let sent = operations
            .iter()
            .flat_map(|operation| &operation.answers)
            .flat_map(|answer| &answer.headers);
        self.response_headers = list(&RESPONSE, sent.map(|field| field.name));
    }

    /// What `Access-Control-Allow-Origin` says to a page of this origin; `None` for one that may not. Browsers write an origin in one way
    /// only, so what is not equal to the last byte is another one.
    pub(crate) fn allows(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.any {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().find(|known| *known == origin).cloned()
    }
}

/// The names with commas between them, each once.
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
    fn every_origin_stands_alone_and_without_credentials() {
        let origins = |texts: &[&str]| {
            let all = texts.iter().map(|text| Origin::parse(text).unwrap());
            all.collect::<Vec<_>>()
        };
        let hour = Duration::from_secs(3600);
        assert!(Cors::new(origins(&["*"]), false, hour).is_ok());
        assert_eq!(
            Cors::new(origins(&["*"]), true, hour).unwrap_err(),
            WrongCors::AnyWithCredentials
        );
        assert_eq!(
            Cors::new(origins(&["https://a.example", "*"]), false, hour).unwrap_err(),
            WrongCors::AnyAmongOthers
        );
    }
}
