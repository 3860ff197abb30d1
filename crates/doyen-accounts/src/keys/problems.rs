//! The problems of API keys.

use doyen_core::{Failure, Failures, INVALID, Kind, Place, Problem, ProblemInfo, Unexpected};

/// The problem for an invalid API key.
pub static INVALID_KEY: ProblemInfo = ProblemInfo {
    code: "invalid_key",
    kind: Kind::Unauthenticated,
    title: "Invalid API Key",
    description: "The API key in `X-API-Key` is malformed, unknown, expired or revoked, or its owner is disabled. Create a new key.",
};

/// A rejected API key. The reason is logged but not sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// The key is malformed, or its checksum is wrong.
    Malformed,
    /// The key is unknown.
    Unknown,
    /// The key was revoked.
    Revoked,
    /// The key has expired.
    Expired,
    /// The owner no longer exists or is disabled.
    Owner,
}

impl std::fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            InvalidKey::Malformed => "the API key is not well-formed",
            InvalidKey::Unknown => "there is no such API key",
            InvalidKey::Revoked => "the API key was revoked",
            InvalidKey::Expired => "the API key has expired",
            InvalidKey::Owner => "the owner of the API key is gone or disabled",
        })
    }
}

impl std::error::Error for InvalidKey {}

#[diagnostic::do_not_recommend]
impl Problem for InvalidKey {
    fn info(&self) -> &'static ProblemInfo {
        &INVALID_KEY
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&INVALID_KEY]
    }

    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self)
    }
}

/// The key does not exist, belongs to another user, or was revoked. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found, code = "api_key_not_found")]
pub(crate) struct KeyNotFound;

/// The user has reached the maximum number of API keys. Revoke a key that is no longer needed.
#[derive(Debug, Problem)]
#[problem(conflict, code = "too_many_api_keys")]
pub(crate) struct TooManyKeys;

/// A scope or an expiry time that the caller cannot grant.
#[derive(Debug)]
pub(crate) struct Ungranted(Failures);

impl Ungranted {
    /// Reports the items of the list of scopes that the caller does not have.
    pub(crate) fn scopes(places: &[usize], own: &[std::sync::Arc<str>]) -> Self {
        let list: Vec<String> = own.iter().map(|scope| format!("`{scope}`")).collect();
        let message = format!("must be one of your scopes: {}", list.join(", "));
        let names: Vec<&str> = own.iter().map(|scope| &**scope).collect();
        let mut failures = Failures::new();
        for place in places {
            failures.push(Failure {
                pointer: format!("/scopes/{place}"),
                place: Place::Body,
                code: "scope",
                message: message.clone(),
                params: serde_json::Map::from_iter([("allowed".to_owned(), names.clone().into())]),
                beyond: None,
            });
        }
        Self(failures)
    }

    /// Reports an expiry time in the past.
    pub(crate) fn past() -> Self {
        let mut failures = Failures::new();
        failures.push(Failure {
            pointer: "/expires_at".to_owned(),
            place: Place::Body,
            code: "future",
            message: "must be in the future".to_owned(),
            params: serde_json::Map::new(),
            beyond: None,
        });
        Self(failures)
    }
}

#[diagnostic::do_not_recommend]
impl Problem for Ungranted {
    fn info(&self) -> &'static ProblemInfo {
        &INVALID
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&INVALID]
    }

    fn failures(&self) -> Option<&Failures> {
        Some(&self.0)
    }
}

/// Errors when a key is created.
#[derive(Debug, Problem)]
pub(crate) enum MakeKey {
    /// A scope or an expiry time is invalid.
    #[problem(transparent)]
    Ungranted(Ungranted),
    /// The user has too many keys.
    #[problem(transparent)]
    TooMany(TooManyKeys),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when a key is revoked.
#[derive(Debug, Problem)]
pub(crate) enum RevokeKey {
    /// The key does not exist.
    #[problem(transparent)]
    Missing(KeyNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
