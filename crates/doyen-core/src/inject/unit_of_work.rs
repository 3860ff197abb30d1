//! Units of work: committed or rolled back with a request.

use crate::Refusal;

/// Something that is committed or rolled back as a whole, such as a database session.
#[async_trait::async_trait]
pub trait UnitOfWork: Send + Sync {
    /// Commits it.
    async fn commit(&self) -> Result<(), Refusal>;
    /// Rolls it back.
    async fn rollback(&self);
    /// Returns its statistics so far.
    fn statistics(&self) -> WorkStats {
        WorkStats::default()
    }
}

/// The load of a unit of work on its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkStats {
    /// Number of statements.
    pub statements: u32,
    /// Total time of the statements.
    pub time: std::time::Duration,
}
