//! The keys in use, and what was verified with them: they change together.

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

    /// With other keys. What was verified with a key that stays is remembered; what was verified
    /// with one that goes is forgotten, and so is what somebody verifies with it at this moment: it
    /// goes into the memory that is left behind.
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
