//! What is kept of a session.

use std::sync::Arc;

use doyen_core::{Id, Timestamp};

/// A login session: what somebody has from a login to its end. Its id is `ses_...`.
#[derive(Debug)]
pub struct LoginSession;

impl doyen_core::id::Named for LoginSession {
    const PREFIX: &'static str = "ses";
}

/// The id of a session.
pub type SessionId = Id<LoginSession>;

/// How a session is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// By an access token and a refresh token.
    Bearer,
    /// By a cookie.
    Cookie,
}

/// A session, as a store keeps it. No field of it is a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub subject: Arc<str>,
    /// How it is carried.
    pub kind: SessionKind,
    /// Counts up when the rights of its owner change.
    pub generation: u32,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What the client called itself at the login.
    pub agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// From where.
    pub created_address: Option<String>,
    /// When it was last used: at a refresh, or by a cookie within a minute.
    pub seen_at: Timestamp,
    /// From where.
    pub seen_address: Option<String>,
    /// From this point on it is over, unless it is used before.
    pub idle_until: Timestamp,
    /// From this point on it is over.
    pub absolute_until: Timestamp,
    /// When somebody ended it.
    pub ended_at: Option<Timestamp>,
    /// Counts up with each rotation of its secret.
    pub counter: i64,
    /// Goes into its secrets, together with a key that is kept elsewhere.
    pub salt: [u8; 32],
    /// The hash of the secret that counts now.
    pub secret_hash: [u8; 32],
    /// The hash of the one before.
    pub previous_hash: Option<[u8; 32]>,
    /// When that was spent.
    pub spent_at: Option<Timestamp>,
}

impl SessionRecord {
    /// True while it was neither ended nor left alone for too long.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.idle_until && now < self.absolute_until
    }
}

/// What a use of the secret changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The number of the new secret.
    pub counter: i64,
    /// Its hash.
    pub secret_hash: [u8; 32],
    /// The hash of the secret that was spent.
    pub previous_hash: [u8; 32],
    /// What the client is called now, and where it is.
    pub seen: Seen,
}

/// That a session was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// From where, when that is known.
    pub address: Option<String>,
    /// From this point on it is over, unless it is used again.
    pub idle_until: Timestamp,
}
