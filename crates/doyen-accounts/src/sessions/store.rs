//! Where sessions are kept: the port.

use doyen_core::{Timestamp, Unexpected};
use doyen_data::Session;

use super::{Rotation, Seen, SessionId, SessionRecord};

/// Keeps sessions. One suite of tests runs over every adapter.
///
/// Each call gets the unit of work at hand. A store in the database joins it; another one does its work at once.
#[async_trait::async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Keeps a new session.
    async fn insert(&self, work: &Session, record: &SessionRecord) -> Result<(), Unexpected>;

    /// The session of this id, ended and expired ones too.
    async fn find(
        &self,
        work: &Session,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, Unexpected>;

    /// The sessions of this subject that are live at this time, the newest first.
    async fn of(
        &self,
        work: &Session,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, Unexpected>;

    /// Spends the secret, if the session is still as it was read: not ended, of the same counter and the same generation. Of many that try
    /// at once one succeeds.
    async fn rotate(
        &self,
        work: &Session,
        read: &SessionRecord,
        rotation: &Rotation,
    ) -> Result<bool, Unexpected>;

    /// Remembers that a session that was not ended is in use.
    async fn touch(&self, work: &Session, id: SessionId, seen: &Seen) -> Result<(), Unexpected>;

    /// Gives a session of this subject that was not ended another name; false when there is none.
    async fn rename(
        &self,
        work: &Session,
        subject: &str,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<bool, Unexpected>;

    /// Ends a session; false when it was ended before, or never was.
    async fn end(&self, work: &Session, id: SessionId, now: Timestamp) -> Result<bool, Unexpected>;

    /// Counts the generation of a session that was not ended up by one, and gives the new one.
    async fn raise(&self, work: &Session, id: SessionId) -> Result<Option<u32>, Unexpected>;

    /// Forgets sessions that were over before this time.
    async fn prune(&self, work: &Session, before: Timestamp) -> Result<(), Unexpected>;
}
