//! What can go wrong with API keys, as the client is told.

use doyen_core::{Failure, Failures, INVALID, Kind, Place, Problem, ProblemInfo, Unexpected};

/// The row for an API key that is not valid.
pub static INVALID_KEY: ProblemInfo = ProblemInfo {
    code: "invalid_key",
    kind: Kind::Unauthenticated,
    title: "Invalid API Key",
    description: "The API key in `X-API-Key` is mistyped, unknown, expired or revoked, or its owner may not log in any more. Make a new one.",
};

/// An API key was refused. The log learns why, the client does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// It does not look like one, or its checksum is wrong.
    Malformed,
    /// There is none like it.
    Unknown,
    /// It was revoked.
    Revoked,
    /// Its time is over.
    Expired,
    /// Its owner is gone or may not log in.
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

/// There is no such key, or it is not yours, or it was revoked before.
#[derive(Debug, Problem)]
#[problem(not_found, code = "api_key_not_found")]
pub(crate) struct KeyNotFound;

/// You have as many API keys as one may have. Revoke one that you do not need.
#[derive(Debug, Problem)]
#[problem(conflict, code = "too_many_api_keys")]
pub(crate) struct TooManyKeys;

/// What was asked for is not for the caller to give.
#[derive(Debug)]
pub(crate) struct Ungranted(Failures);

impl Ungranted {
    /// These items of the list of scopes are none of the caller's.
    pub(crate) fn scopes(places: &[usize], own: &[std::sync::Arc<str>]) -> Self {
        let list: Vec<String> = own.iter().map(|scope| format!("`{scope}`")).collect();
        let message = format!("must be one of the scopes you have: {}", list.join(", "));
        let names: Vec<&str> = own.iter().map(|scope| &**scope).collect();
        let mut failures = Failures::new();
        for place in places {
            failures.push(Failure {
                pointer: format!("/scopes/{place}"),
                place: Place::Body,
                code: "scope",
                message: message.clone(),
                params: serde_json::Map::from_iter([("allowed".to_owned(), names.clone().into())]),
            });
        }
        Self(failures)
    }

    /// The time is over before it begins.
    pub(crate) fn past() -> Self {
        let mut failures = Failures::new();
        failures.push(Failure {
            pointer: "/expires_at".to_owned(),
            place: Place::Body,
            code: "future",
            message: "must be a time that has not come yet".to_owned(),
            params: serde_json::Map::new(),
        });
        Self(failures)
    }
}

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

/// Why no key was made.
#[derive(Debug, Problem)]
pub(crate) enum MakeKey {
    /// Scopes or times that can not be.
    #[problem(transparent)]
    Ungranted(Ungranted),
    /// There are enough.
    #[problem(transparent)]
    TooMany(TooManyKeys),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why no key was revoked.
#[derive(Debug, Problem)]
pub(crate) enum RevokeKey {
    /// It is not there.
    #[problem(transparent)]
    Missing(KeyNotFound),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
