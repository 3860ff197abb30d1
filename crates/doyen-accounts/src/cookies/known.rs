//! A short memory of who is behind a cookie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::Caller;
use doyen_core::sync;

use crate::sessions::{SessionId, SessionRecord};

/// How long a node does not ask again. What was ended or has other rights is known sooner, by the list of revocations.
const FRESH: Duration = Duration::from_secs(10);
/// How many sessions are remembered.
const MOST: usize = 20_000;

/// A session that was looked up, and its caller.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) record: Arc<SessionRecord>,
    pub(super) caller: Arc<Caller>,
    pub(super) looked_up: Instant,
}

/// The memory of a node.
#[derive(Default)]
pub(super) struct Known(Mutex<HashMap<SessionId, Found>>);

impl Known {
    pub(super) fn get(&self, id: SessionId) -> Option<Found> {
        let known = sync::lock(&self.0);
        let found = known.get(&id)?;
        (found.looked_up.elapsed() < FRESH).then(|| found.clone())
    }

    pub(super) fn put(&self, found: Found) {
        let mut known = sync::lock(&self.0);
        if known.len() >= MOST {
            known.retain(|_, found| found.looked_up.elapsed() < FRESH);
        }
        // All of them in use within ten seconds: asking the store again is slower, not wrong.
        if known.len() < MOST {
            known.insert(found.record.id, found);
        }
    }

    pub(super) fn forget(&self, id: SessionId) {
        let mut known = sync::lock(&self.0);
        known.remove(&id);
    }
}
