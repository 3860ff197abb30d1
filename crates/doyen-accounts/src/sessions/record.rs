//! The stored form of a session.

use std::sync::Arc;

use doyen_core::{Id, Timestamp};

/// A login session. Its id is `ses_...`.
#[derive(Debug)]
pub struct LoginSession;

impl doyen_core::id::Named for LoginSession {
    const PREFIX: &'static str = "ses";
}

/// The id of a session.
pub type SessionId = Id<LoginSession>;

/// The credentials of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// An access token and a refresh token.
    Bearer,
    /// A cookie.
    Cookie,
}

/// A session in the store. It contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Id.
    pub id: SessionId,
    /// Subject of the owner.
    pub subject: Arc<str>,
    /// Kind of credentials.
    pub kind: SessionKind,
    /// Incremented when the rights of its owner change.
    pub generation: u32,
    /// Name given by the owner.
    pub name: Option<String>,
    /// User agent at the login.
    pub agent: Option<String>,
    /// Time of the login.
    pub created_at: Timestamp,
    /// Client address at the login.
    pub created_address: Option<String>,
    /// Time of the last refresh, or of the last use of the cookie to the minute.
    pub seen_at: Timestamp,
    /// Client address of the last use.
    pub seen_address: Option<String>,
    /// Time at which it ends if it is not used.
    pub idle_until: Timestamp,
    /// Time at which it ends in any case.
    pub absolute_until: Timestamp,
    /// Time at which it was ended.
    pub ended_at: Option<Timestamp>,
    /// Incremented with each rotation of its secret.
    pub counter: i64,
    /// Salt of its secrets.
    pub salt: [u8; 32],
    /// Hash of the current secret.
    pub secret_hash: [u8; 32],
    /// Hash of the previous secret.
    pub previous_hash: Option<[u8; 32]>,
    /// Time at which the previous secret was used.
    pub spent_at: Option<Timestamp>,
}

impl SessionRecord {
    /// Returns true if it has neither ended nor expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.idle_until && now < self.absolute_until
    }
}

/// What a use of the secret changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Counter of the new secret.
    pub counter: i64,
    /// Hash of the new secret.
    pub secret_hash: [u8; 32],
    /// Hash of the used secret.
    pub previous_hash: [u8; 32],
    /// The use of the session.
    pub seen: Seen,
}

/// A use of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Time.
    pub at: Timestamp,
    /// Client address, if known.
    pub address: Option<String>,
    /// Time at which the session ends if it is not used again.
    pub idle_until: Timestamp,
}
