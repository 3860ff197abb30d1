//! The keys of requests that this process handles now.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;

use doyen_core::Timestamp;
use doyen_core::sync::lock;

use crate::identity::{Hash, Identity};

/// A running request. The number of them is bounded by the limit of concurrent requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) request: Hash,
    pub(crate) attempt: [u8; 16],
    pub(crate) since: Timestamp,
}

/// The running requests, by identity.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<Hash, Run>>);

impl Running {
    /// Adds a request, or returns the one that runs with its key.
    pub(crate) fn begin(
        &self,
        identity: &Identity,
        attempt: [u8; 16],
        now: Timestamp,
    ) -> Option<Run> {
        match lock(&self.0).entry(identity.id) {
            Entry::Occupied(other) => Some(*other.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(Run {
                    request: identity.request,
                    attempt,
                    since: now,
                });
                None
            }
        }
    }

    /// Removes a request.
    pub(crate) fn end(&self, id: &Hash) {
        lock(&self.0).remove(id);
    }

    /// Returns the requests that have run since before `limit`.
    pub(crate) fn older_than(&self, limit: Timestamp) -> Vec<(Hash, [u8; 16])> {
        let running = lock(&self.0);
        let old = running.iter().filter(|(_, run)| run.since < limit);
        old.map(|(id, run)| (*id, run.attempt)).collect()
    }
}
