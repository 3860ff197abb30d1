//! The keys in use and the cache of tokens verified with them. Both are replaced together.

use std::sync::Arc;

use super::cache::Cache;
use crate::keyring::{KeyRing, KeySet};

pub(super) struct Live {
    pub(super) ring: KeyRing,
    pub(super) cache: Arc<Cache>,
    pub(super) key_set: KeySet,
}

impl Live {
    pub(super) fn new(ring: KeyRing) -> Self {
        Self {
            key_set: ring.key_set(),
            ring,
            cache: Arc::new(Cache::new()),
        }
    }

    /// Replaces the keys. Cached results of keys that remain stay in the cache; those of removed
    /// keys are dropped. A verification that runs at this moment writes to the old cache, which is
    /// no longer used.
    pub(super) fn with(&self, ring: KeyRing) -> Self {
        let cache = if self.ring.all_in(&ring) {
            Arc::clone(&self.cache)
        } else {
            let same_names = self.ring.name() == ring.name();
            Arc::new(
                self.cache
                    .only(|claims| same_names && ring.has(&claims.key)),
            )
        };
        Self {
            key_set: ring.key_set(),
            ring,
            cache,
        }
    }
}
