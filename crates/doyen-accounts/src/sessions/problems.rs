//! What can go wrong with sessions, as the client is told.

use doyen_core::{Problem, Unexpected};

/// The refresh token was used before, has expired, was revoked, or is none. Log in again.
#[derive(Debug, Problem)]
#[problem(malformed)]
pub struct InvalidGrant;

/// You have no such session, or it is over.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub struct SessionNotFound;

/// Why a refresh token gave nothing.
#[derive(Debug, Problem)]
pub enum Refresh {
    /// It is worth nothing.
    #[problem(transparent)]
    Grant(InvalidGrant),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Why a session was not found.
#[derive(Debug, Problem)]
pub enum FindSession {
    /// It is not there, or not the caller's.
    #[problem(transparent)]
    Missing(SessionNotFound),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}
