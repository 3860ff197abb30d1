//! When sessions were last used: to the second in memory, to the minute in the store.
//!
//! An access token is verified without the store. Without this, a session whose token is in
//! constant use would look idle since its last refresh, and a hundred later logins would end it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen_auth::{Claims, TokenUses};
use doyen_core::{Access, Timestamp, Unexpected, sync};
use doyen_data::Database;

use super::{Seen, SessionId, SessionStore};
use crate::batch::{BatchSink, BatchWriter};

/// Minimum time between two records of one session in the store.
const RECORD_INTERVAL: Duration = Duration::from_secs(60);
/// Maximum number of sessions in memory.
const MAX_SESSIONS_IN_MEMORY: usize = 20_000;

/// The last uses on this node.
pub(crate) struct SessionUses {
    recent: Mutex<HashMap<SessionId, LastUse>>,
    writer: BatchWriter<UseSink>,
    idle: Duration,
}

#[derive(Clone, Copy)]
struct LastUse {
    at: Timestamp,
    recorded_at: Timestamp,
}

impl SessionUses {
    pub(super) fn new(database: Database, store: Arc<dyn SessionStore>, idle: Duration) -> Self {
        Self {
            recent: Mutex::default(),
            writer: BatchWriter::new(UseSink { database, store }),
            idle,
        }
    }

    /// Remembers a use. Records it in the store if the last record, which is not older than
    /// `recorded_at`, is a minute old.
    pub(crate) fn note(
        &self,
        id: SessionId,
        address: Option<IpAddr>,
        at: Timestamp,
        recorded_at: Timestamp,
    ) {
        if self.is_due(id, at, recorded_at) {
            let seen = Seen {
                at,
                address: address.map(|address| address.to_string()),
                idle_until: at + self.idle,
            };
            // A use that is lost is recorded a minute later.
            self.writer.write((id, seen));
        }
    }

    fn is_due(&self, id: SessionId, at: Timestamp, recorded_at: Timestamp) -> bool {
        let mut recent = sync::lock(&self.recent);
        if recent.len() >= MAX_SESSIONS_IN_MEMORY && !recent.contains_key(&id) {
            recent.retain(|_, last| at.since(last.at) < RECORD_INTERVAL);
            if recent.len() >= MAX_SESSIONS_IN_MEMORY {
                recent.clear();
            }
        }
        let last = recent.entry(id).or_insert(LastUse { at, recorded_at });
        last.at = at;
        last.recorded_at = last.recorded_at.max(recorded_at);
        let is_due = at.since(last.recorded_at) >= RECORD_INTERVAL;
        if is_due {
            last.recorded_at = at;
        }
        is_due
    }

    /// Returns the last use of a session on this node, if there was one.
    pub(super) fn last(&self, id: SessionId) -> Option<Timestamp> {
        sync::lock(&self.recent).get(&id).map(|last| last.at)
    }

    /// Waits until every use so far is recorded.
    pub(crate) async fn flush(&self) {
        self.writer.flush().await;
    }
}

impl TokenUses for SessionUses {
    fn used(&self, claims: &Claims, address: Option<IpAddr>, at: Timestamp) {
        let id = claims.caller.session.as_deref();
        if let Some(id) = id.and_then(|id| id.parse().ok()) {
            // Issuing the token recorded a use.
            self.note(id, address, at, claims.issued_at);
        }
    }
}

/// Writes uses to the store.
#[derive(Clone)]
struct UseSink {
    database: Database,
    store: Arc<dyn SessionStore>,
}

impl BatchSink for UseSink {
    type Item = (SessionId, Seen);
    const MAX_BATCH: usize = 200;

    async fn write(&mut self, batch: Vec<Self::Item>) {
        if batch.is_empty() {
            return;
        }
        // The last use of each session, in the same order on all nodes: two that write the same
        // sessions do not deadlock.
        let last: BTreeMap<SessionId, Seen> = batch.into_iter().collect();
        if let Err(error) = self.save(&last).await {
            tracing::warn!(error = %error.error(), "the use of sessions could not be recorded");
        }
    }
}

impl UseSink {
    async fn save(&self, uses: &BTreeMap<SessionId, Seen>) -> Result<(), Unexpected> {
        let work = self.database.session(Access::Write);
        for (id, seen) in uses {
            self.store.touch(&work, *id, seen).await?;
        }
        work.commit().await
    }
}
