//! What the metrics count.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one process.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) stale_hits: AtomicU64,
    pub(crate) waits: AtomicU64,
    pub(crate) loads: AtomicU64,
    pub(crate) failed_loads: AtomicU64,
    pub(crate) abandoned_loads: AtomicU64,
    pub(crate) oversized: AtomicU64,
    pub(crate) evictions: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) resets: AtomicU64,
    pub(crate) shared_hits: AtomicU64,
    pub(crate) shared_misses: AtomicU64,
    pub(crate) shared_errors: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
