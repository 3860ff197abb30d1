//! The port to the session stores.

use doyen_core::{Timestamp, Unexpected};
use doyen_data::Session;

use super::{Rotation, Seen, SessionId, SessionRecord};

/// Stores sessions. The same tests run for every adapter.
///
/// Each call gets the current unit of work. A store in the database joins it; others apply the
/// change at once.
#[async_trait::async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// Inserts a session.
    async fn insert(&self, work: &Session, record: &SessionRecord) -> Result<(), Unexpected>;

    /// Returns the session with this id, including ended and expired ones.
    async fn find(
        &self,
        work: &Session,
        id: SessionId,
    ) -> Result<Option<SessionRecord>, Unexpected>;

    /// Returns the live sessions of this subject, the newest first.
    async fn of(
        &self,
        work: &Session,
        subject: &str,
        now: Timestamp,
    ) -> Result<Vec<SessionRecord>, Unexpected>;

    /// Rotates the secret if the session is unchanged: not ended, with the same counter and
    /// generation. Of concurrent calls one succeeds.
    async fn rotate(
        &self,
        work: &Session,
        read: &SessionRecord,
        rotation: &Rotation,
    ) -> Result<bool, Unexpected>;

    /// Records the use of a session that has not ended. Its idle time ends with its lifetime at the
    /// latest.
    async fn touch(&self, work: &Session, id: SessionId, seen: &Seen) -> Result<(), Unexpected>;

    /// Renames a session of this subject that has not ended. Returns false if there is none.
    async fn rename(
        &self,
        work: &Session,
        subject: &str,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<bool, Unexpected>;

    /// Ends a session. Returns false if it had ended before or does not exist.
    async fn end(&self, work: &Session, id: SessionId, now: Timestamp) -> Result<bool, Unexpected>;

    /// Increments the generation of a session that has not ended, and returns the new value.
    async fn bump_generation(
        &self,
        work: &Session,
        id: SessionId,
    ) -> Result<Option<u32>, Unexpected>;

    /// Deletes sessions that ended before this time.
    async fn prune(&self, work: &Session, before: Timestamp) -> Result<(), Unexpected>;
}
