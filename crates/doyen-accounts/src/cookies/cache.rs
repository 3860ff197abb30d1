//! A short-lived cache of cookie sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::Caller;
use doyen_core::sync;

use crate::sessions::{SessionId, SessionRecord};

/// Lifetime of an entry. Ended sessions and changed rights are known sooner, by the revocation
/// list.
const MAX_AGE: Duration = Duration::from_secs(10);
/// Maximum number of entries.
const MAX_CACHED_SESSIONS: usize = 20_000;

/// A session and its caller.
#[derive(Clone)]
pub(super) struct CachedSession {
    pub(super) record: Arc<SessionRecord>,
    pub(super) caller: Arc<Caller>,
    pub(super) looked_up: Instant,
}

/// The cache of a node.
#[derive(Default)]
pub(super) struct SessionCache(Mutex<HashMap<SessionId, CachedSession>>);

impl SessionCache {
    pub(super) fn get(&self, id: SessionId) -> Option<CachedSession> {
        let known = sync::lock(&self.0);
        let found = known.get(&id)?;
        (found.looked_up.elapsed() < MAX_AGE).then(|| found.clone())
    }

    pub(super) fn put(&self, found: CachedSession) {
        let mut known = sync::lock(&self.0);
        if known.len() >= MAX_CACHED_SESSIONS {
            known.retain(|_, found| found.looked_up.elapsed() < MAX_AGE);
        }
        // If all entries are fresh, the session is read from the store again: slower, but correct.
        if known.len() < MAX_CACHED_SESSIONS {
            known.insert(found.record.id, found);
        }
    }

    pub(super) fn forget(&self, id: SessionId) {
        let mut known = sync::lock(&self.0);
        known.remove(&id);
    }
}
