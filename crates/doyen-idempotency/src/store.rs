//! The store: claims keys, records responses, releases keys.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use doyen_core::idempotency::{
    Attempt, BodyDigest, Claim, IN_FLIGHT, Idempotency, KeyedRequest, NOT_REPLAYABLE, REUSED,
    StoredResponse,
};
use doyen_core::inject::Context;
use doyen_core::problem::Plain;
use doyen_core::{Caller, Clock, FORBIDDEN, Refusal, Unexpected};
use doyen_data::Session;

use crate::IdempotencySettings;
use crate::content::Digest;
use crate::envelope::{Envelope, Rights, Sealer};
use crate::identity::{Hash, Identity};
use crate::metrics::{Counts, count};
use crate::running::Running;
use crate::table::{Record, Table};

/// How often a claim is tried again, if the row changes each time.
const MAX_TRIES: u32 = 5;

/// Keys and responses in SQL. Injectable as `Arc<KeyStore>`.
#[derive(Clone)]
pub struct KeyStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) table: Table,
    pub(crate) running: Running,
    pub(crate) counts: Counts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: IdempotencySettings,
    pub(crate) sealer: Sealer,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").finish_non_exhaustive()
    }
}

impl Inner {
    /// Returns the time in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().micros() / 1000
    }

    pub(crate) fn lease_end(&self) -> i64 {
        self.now().saturating_add(millis(self.settings.lease))
    }

    /// Deletes the marker of an attempt.
    async fn release(&self, id: &Hash, attempt: &[u8; 16]) {
        let released: Result<(), Unexpected> = self.table.release(id, attempt).await;
        if let Err(error) = released {
            tracing::warn!(target: "idempotency", ?error, "a key is released only when its lease ends");
        }
    }

    /// Returns what a row means for a request: `None` if it has expired.
    fn judge(
        &self,
        record: Record,
        identity: &Identity,
        caller: Option<&Caller>,
    ) -> Option<Result<StoredResponse, Refusal>> {
        let left = record.expires_at - self.now();
        if left <= 0 {
            return None;
        }
        if record.request != identity.request {
            count(&self.counts.reused);
            return Some(Err(Plain::new(&REUSED).into()));
        }
        let Some(sealed) = record.response else {
            return Some(Err(self.in_flight(left)));
        };
        let Some(Envelope { rights, response }) = self.sealer.open(identity, sealed) else {
            tracing::warn!(target: "idempotency", "a stored response cannot be opened: the root secret was replaced, or the row was changed");
            return Some(Err(Plain::new(&NOT_REPLAYABLE).into()));
        };
        // The route has allowed the caller, but the handler may have decided by the role.
        if !rights.are_held_by(caller) {
            return Some(Err(Plain::new(&FORBIDDEN)
                .detail("The first request with this key was made with a role or scope that the caller does not have now.")
                .into()));
        }
        count(&self.counts.replayed);
        Some(Ok(response))
    }

    fn in_flight(&self, millis_left: i64) -> Refusal {
        count(&self.counts.in_flight);
        let seconds = u32::try_from((millis_left + 999) / 1000)
            .unwrap_or(1)
            .max(1);
        Plain::new(&IN_FLIGHT).retry_after(seconds).into()
    }
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Idempotency for KeyStore {
    async fn claim(&self, request: KeyedRequest<'_>) -> Result<Claim, Refusal> {
        let inner = &self.inner;
        let identity = Identity::of(&request);
        let attempt = *uuid::Uuid::new_v4().as_bytes();
        // Duplicates on this node need no statement.
        if let Some(other) = inner.running.begin(&identity, attempt, inner.clock.now()) {
            if other.request != identity.request {
                count(&inner.counts.reused);
                return Err(Plain::new(&REUSED).into());
            }
            return Err(inner.in_flight(0));
        }
        // From here on, dropping it releases the key.
        let mut run = KeyedAttempt {
            inner: Arc::clone(inner),
            identity,
            attempt,
            caller: request.caller.cloned(),
            is_marked: false,
            is_committed: false,
        };
        match run.claim().await? {
            None => {
                count(&inner.counts.first);
                Ok(Claim::First(Box::new(run)))
            }
            Some(response) => Ok(Claim::Replay(response)),
        }
    }

    fn digest(&self, content_type: &str) -> Box<dyn BodyDigest> {
        Box::new(Digest::new(content_type))
    }

    fn max_response_bytes(&self) -> usize {
        usize::try_from(self.inner.settings.max_response.bytes()).unwrap_or(usize::MAX)
    }
}

/// A running request.
struct KeyedAttempt {
    inner: Arc<Inner>,
    identity: Identity,
    attempt: [u8; 16],
    caller: Option<Caller>,
    /// True if the table may have a marker of this attempt.
    is_marked: bool,
    is_committed: bool,
}

impl KeyedAttempt {
    /// Claims the key in the table. Returns the response of the first request, if there is one.
    async fn claim(&mut self) -> Result<Option<StoredResponse>, Refusal> {
        let inner = Arc::clone(&self.inner);
        for _ in 0..MAX_TRIES {
            if inner.table.has_markers() {
                // Before the statement: if it is cancelled, its outcome is unknown.
                self.is_marked = true;
                let end = inner.lease_end();
                if inner.table.mark(&self.identity, &self.attempt, end).await? {
                    return Ok(None);
                }
            }
            let found = inner.table.find(&self.identity.id).await?;
            let Some(record) = found else {
                if inner.table.has_markers() {
                    continue;
                }
                return Ok(None);
            };
            let (owner, expired_at) = (record.attempt.clone(), record.expires_at);
            if let Some(known) = inner.judge(record, &self.identity, self.caller.as_ref()) {
                self.is_marked = false;
                return known.map(Some);
            }
            let end = inner.lease_end();
            let table = &inner.table;
            let expired = (owner.as_slice(), expired_at);
            if !table.has_markers()
                || table
                    .take_over(&self.identity, &self.attempt, end, expired)
                    .await?
            {
                return Ok(None);
            }
        }
        Err(inner.in_flight(0))
    }
}

#[async_trait]
impl Attempt for KeyedAttempt {
    async fn record(
        &mut self,
        context: &Context,
        response: StoredResponse,
    ) -> Result<bool, Refusal> {
        let inner = &self.inner;
        let envelope = Envelope {
            rights: Rights::of(self.caller.as_ref()),
            response,
        };
        let sealed = inner.sealer.seal(&self.identity, envelope)?;
        let session = context.get::<Session>().await?;
        let now = inner.now();
        let until = now.saturating_add(millis(inner.settings.retention));
        let is_first =
            Table::record(&session, &self.identity, &self.attempt, until, sealed, now).await?;
        if !is_first {
            count(&inner.counts.superseded);
        }
        Ok(is_first)
    }

    async fn superseded(&mut self) -> Result<Option<StoredResponse>, Refusal> {
        let Some(record) = self.inner.table.find(&self.identity.id).await? else {
            return Ok(None);
        };
        if record.response.is_none() {
            return Ok(None);
        }
        let known = self
            .inner
            .judge(record, &self.identity, self.caller.as_ref());
        known.transpose()
    }

    fn committed(&mut self) {
        self.is_committed = true;
    }

    async fn release(&mut self) {
        if self.is_marked {
            self.inner.release(&self.identity.id, &self.attempt).await;
            self.is_marked = false;
        }
    }
}

impl Drop for KeyedAttempt {
    fn drop(&mut self) {
        self.inner.running.end(&self.identity.id);
        if self.is_committed || !self.is_marked {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let inner = Arc::clone(&self.inner);
        let (identity, attempt) = (self.identity, self.attempt);
        // If the commit was cancelled and succeeds all the same, the row has a response and stays.
        runtime.spawn(async move { inner.release(&identity.id, &attempt).await });
    }
}
