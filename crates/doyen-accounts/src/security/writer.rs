//! Writes security events: to the log at once, to the table in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doyen_app::{Alert, Family, Samples};
use doyen_core::{
    Access, Clock, RequestId, SecurityEvent, Timestamp, Unexpected, current_request, security,
};
use doyen_data::Database;
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::rows;
use crate::batch::{BatchSink, BatchWriter};

/// How long a row is kept.
const RETENTION: Duration = Duration::from_secs(400 * 86_400);
/// How often old rows are deleted.
const PRUNE_INTERVAL: Duration = Duration::from_secs(3_600);

/// Writes security events: each to the log at once, and to the table in batches. One per
/// application.
pub struct SecurityWriter {
    clock: Arc<dyn Clock>,
    rows: BatchWriter<EventSink>,
    lost: AtomicU64,
    logins: [AtomicU64; LOGINS.len()],
}

/// The events that are results of a login, and their labels in the metrics.
const LOGINS: [(&str, &str); 3] = [
    (security::LOGIN_SUCCEEDED, "succeeded"),
    (security::LOGIN_FAILED, "failed"),
    (security::LOGIN_THROTTLED, "throttled"),
];

const LOGINS_TOTAL: &str = "auth_logins_total";
const LOST_TOTAL: &str = "auth_security_events_lost_total";

/// The metrics of logins and of the security log.
pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(LOGINS_TOTAL, "Logins by their result.")
        .labels(&["result"])
        .alerts(&[Alert::warning(
            "LoginFailuresHigh",
            "sum by (job) (rate(auth_logins_total{$app, result=~\"failed|throttled\"}[5m])) > 1",
            "More than one login a second fails, as when passwords are guessed. The security log has \
             the addresses.",
        )
        .lasting(Duration::from_mins(5))]),
    Family::counter(
        LOST_TOTAL,
        "Security events that are only in the log, because they came faster than they could be stored.",
    )
    .alerts(&[Alert::warning(
        "SecurityEventsLost",
        "sum by (job) (increase(auth_security_events_lost_total{$app}[15m])) > 0",
        "Security events were not stored: they are only in the log. Check the database.",
    )]),
];

impl SecurityWriter {
    /// A writer for this database. Its task starts with the first event.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            rows: BatchWriter::new(EventSink {
                database,
                clock: Arc::clone(&clock),
                pruned: None,
            }),
            clock,
            lost: AtomicU64::new(0),
            logins: Default::default(),
        }
    }

    /// Reports the counters.
    pub(crate) fn collect(&self, samples: &mut Samples) {
        for ((_, result), count) in LOGINS.iter().zip(&self.logins) {
            let count = count.load(Ordering::Relaxed);
            samples.value(LOGINS_TOTAL, &[("result", result)], count);
        }
        samples.value(LOST_TOTAL, &[], self.lost.load(Ordering::Relaxed));
    }

    /// Writes an event of the current request.
    pub fn write(&self, event: SecurityEvent) {
        self.write_of(event, current_request().map(|(id, _)| id));
    }

    /// Writes an event of this request, which may be over.
    pub(super) fn write_of(&self, event: SecurityEvent, request: Option<RequestId>) {
        let request = request.map(|id| id.to_string());
        log(&event, request.as_deref());
        if let Some(index) = LOGINS.iter().position(|(name, _)| *name == event.name) {
            self.logins[index].fetch_add(1, Ordering::Relaxed);
        }
        let row = rows::row(event, self.clock.now(), request);
        if !self.rows.write(Box::new(row)) {
            // One line for each thousand, so that they do not flood the log.
            if self
                .lost
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(1000)
            {
                tracing::warn!(target: "security", "events arrive faster than they can be stored: some are only in this log");
            }
        }
    }

    /// Waits until every event so far is in the table.
    pub async fn flush(&self) {
        self.rows.flush().await;
    }
}

impl std::fmt::Debug for SecurityWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityWriter").finish_non_exhaustive()
    }
}

/// Inserts the rows, and deletes old ones now and then.
#[derive(Clone)]
struct EventSink {
    database: Database,
    clock: Arc<dyn Clock>,
    pruned: Option<Timestamp>,
}

impl BatchSink for EventSink {
    type Item = Box<rows::ActiveModel>;
    const MAX_BATCH: usize = 100;

    async fn write(&mut self, batch: Vec<Self::Item>) {
        let rows = batch.into_iter().map(|row| *row).collect();
        let now = self.clock.now();
        let old = self
            .pruned
            .is_none_or(|last| now.since(last) >= PRUNE_INTERVAL)
            .then(|| now - RETENTION);
        if let Err(error) = save(&self.database, rows, old).await {
            tracing::error!(target: "security", error = %error.error(), "events could not be stored: they are only in this log");
        } else if old.is_some() {
            self.pruned = Some(now);
        }
    }
}

/// Inserts the rows and deletes those from before `old`, in one transaction.
async fn save(
    database: &Database,
    rows: Vec<rows::ActiveModel>,
    old: Option<Timestamp>,
) -> Result<(), Unexpected> {
    if rows.is_empty() && old.is_none() {
        return Ok(());
    }
    let session = database.session(Access::Write);
    if !rows.is_empty() {
        rows::Entity::insert_many(rows)
            .exec_without_returning(&session)
            .await?;
    }
    if let Some(old) = old {
        rows::Entity::delete_many()
            .filter(rows::Column::At.lt(DateTimeUtc::from(old)))
            .exec(&session)
            .await?;
    }
    session.commit().await
}

/// Writes the log line of an event.
fn log(event: &SecurityEvent, request: Option<&str>) {
    let details: Vec<String> = event
        .details
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    tracing::info!(
        target: "security",
        event = event.name,
        subject = event.subject.as_deref(),
        actor = event.actor.as_deref(),
        session = event.session.as_deref(),
        address = event.address.map(tracing::field::display),
        agent = event.agent.as_deref(),
        request_id = request,
        details = details.join(" "),
        "{}",
        event.name
    );
}
