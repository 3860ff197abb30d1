//! What is committed or rolled back with a request.

use crate::Refusal;

/// Something that is committed or rolled back as a whole, such as a database session.
#[async_trait::async_trait]
pub trait UnitOfWork: Send + Sync {
    /// Makes it durable.
    async fn commit(&self) -> Result<(), Refusal>;
    /// Undoes it.
    async fn rollback(&self);
    /// What it has done so far.
    fn statistics(&self) -> Statistics {
        Statistics::default()
    }
}

/// How much a unit of work asked of its database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many statements.
    pub statements: u32,
    /// How long they took together.
    pub time: std::time::Duration,
}
