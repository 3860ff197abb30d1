//! The lock that migrations take, for other work at the start that only one process may do.

use super::history::History;
use super::{MigrationError, Migrator};

/// Keeps other processes from migrating, and from taking the same lock. Dropping it releases it.
///
/// On SQLite nothing is locked: a transaction that writes excludes every other one there.
#[must_use = "the lock is held until it is released or dropped"]
pub struct MigrationLock(Option<History>);

impl std::fmt::Debug for MigrationLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MigrationLock").finish_non_exhaustive()
    }
}

impl Migrator<'_> {
    /// Waits for other processes that migrate or hold this lock, and takes it.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn lock(&self) -> Result<MigrationLock, MigrationError> {
        if self.database.backend() == sea_orm::DbBackend::Sqlite {
            return Ok(MigrationLock(None));
        }
        let mut history = History::open(self.database).await?;
        history.begin().await?;
        Ok(MigrationLock(Some(history)))
    }
}

impl MigrationLock {
    /// Releases the lock.
    pub async fn release(self) {
        if let Some(history) = self.0 {
            history.close().await;
        }
    }
}
