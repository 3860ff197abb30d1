//! The tier in the memory of this process.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use doyen_core::cache::CacheKey;
use moka::notification::RemovalCause;

use crate::counters::Counters;
use crate::policies::PolicyCounters;
use crate::slots::View;

/// Estimated memory of an entry without its key and its bytes.
const ENTRY_BYTES: usize = 256;

/// A stored value. `None` is a remembered absence.
pub(crate) struct Stored {
    pub(crate) value: Option<Bytes>,
    /// The generations from before the load.
    pub(crate) view: View,
    pub(crate) policy: Arc<PolicyCounters>,
    /// Times in microseconds.
    pub(crate) stored_at: i64,
    pub(crate) fresh_until: i64,
    pub(crate) usable_until: i64,
}

/// Returns the estimated bytes of an entry.
pub(crate) fn weight(key: &CacheKey, stored: &Stored) -> u32 {
    let bytes = stored.value.as_ref().map_or(0, Bytes::len);
    u32::try_from(key.as_str().len() + bytes + ENTRY_BYTES).unwrap_or(u32::MAX)
}

/// The values, bounded in bytes.
pub(crate) struct Local(moka::sync::Cache<CacheKey, Arc<Stored>>);

impl Local {
    pub(crate) fn new(max_bytes: u64, counters: &Arc<Counters>) -> Self {
        let counters = Arc::clone(counters);
        let cache = moka::sync::Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &CacheKey, stored: &Arc<Stored>| weight(key, stored))
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    counters.evictions.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build();
        Self(cache)
    }

    pub(crate) fn get(&self, key: &CacheKey) -> Option<Arc<Stored>> {
        self.0.get(key)
    }

    pub(crate) fn insert(&self, key: CacheKey, stored: Stored) {
        self.0.insert(key, Arc::new(stored));
    }

    pub(crate) fn remove(&self, key: &CacheKey) {
        self.0.invalidate(key);
    }

    /// Returns all entries. It takes as long as there are many.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Arc<CacheKey>, Arc<Stored>)> {
        self.0.iter()
    }

    /// Returns the number of entries and their bytes, after pending evictions.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.0.run_pending_tasks();
        (self.0.entry_count(), self.0.weighted_size())
    }
}

/// Returns a duration in whole microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
