//! The problems of sessions.

use doyen_core::{Problem, Unexpected};

/// The refresh token is invalid, used, expired or revoked. Log in again.
#[derive(Debug, Problem)]
#[problem(malformed)]
pub struct InvalidGrant;

/// The session does not exist, belongs to another user, or has ended. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct SessionNotFound;

/// Errors when a refresh token is exchanged.
#[derive(Debug, Problem)]
pub enum Refresh {
    /// The refresh token is invalid.
    #[problem(transparent)]
    Grant(InvalidGrant),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when a session is looked up.
#[derive(Debug, Problem)]
pub enum FindSession {
    /// The session does not exist or belongs to another user.
    #[problem(transparent)]
    Missing(SessionNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
