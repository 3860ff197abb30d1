//! How the transactions of a database ended.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Committed,
    RolledBack,
    Unknown,
}

/// Counts the transactions by their ending.
#[derive(Debug, Default)]
pub(crate) struct Endings {
    committed: AtomicU64,
    rolled_back: AtomicU64,
    unknown: AtomicU64,
}

/// The number of transactions so far. Those whose client disconnected are not counted: they end
/// when their connection is reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionCounts {
    /// Committed.
    pub committed: u64,
    /// Rolled back, also because the database rejected the commit.
    pub rolled_back: u64,
    /// The connection was lost during the commit.
    pub unknown: u64,
}

impl Endings {
    pub(crate) fn count(&self, ending: Ending) {
        let counter = match ending {
            Ending::Committed => &self.committed,
            Ending::RolledBack => &self.rolled_back,
            Ending::Unknown => &self.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> TransactionCounts {
        TransactionCounts {
            committed: self.committed.load(Ordering::Relaxed),
            rolled_back: self.rolled_back.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
        }
    }
}
