//! The end of an attempt.

use std::time::Duration;

use doyen_core::{Access, JobId, Progress, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Database, Session};

use super::{CHANNEL, micros, time};

/// Maximum length of an error in the row.
const MAX_ERROR_CHARS: usize = 2000;

/// What identifies one attempt: a job that another worker has claimed since has another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) id: JobId,
    pub(crate) node: Uuid,
    pub(crate) attempt: u32,
}

/// How an attempt ended that did not succeed.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It failed and is tried again after this pause.
    Retry(Duration, String),
    /// It failed for good.
    Failed(String),
    /// It was cancelled.
    Cancelled,
    /// It is handed back: the attempt does not count.
    HandedBack,
}

/// The condition that an attempt still holds its lease; its parameters come first.
const HELD: &str = "id = $1 AND status = 'running' AND node = $2 AND attempts = $3";

/// A job that ended keeps its unique key as long as it asked for.
const KEPT_KEY: &str = "unique_key = CASE WHEN unique_until > $4 THEN unique_key END";

impl Lease {
    fn values<const N: usize>(&self, more: [Value; N]) -> Vec<Value> {
        let attempt = i32::try_from(self.attempt).unwrap_or(i32::MAX);
        let lease: [Value; 3] = [self.id.uuid().into(), self.node.into(), attempt.into()];
        lease.into_iter().chain(more).collect()
    }
}

/// Marks a job as done in its own unit of work. Returns false if the lease is lost.
pub(crate) async fn done(
    session: &Session,
    lease: &Lease,
    result: Option<String>,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let sql = format!(
        "UPDATE jobs SET status = 'done', node = NULL, finished_at = $4, result = $5, error = NULL, {KEPT_KEY} WHERE {HELD}"
    );
    let values = lease.values([time(now), result.into()]);
    Ok(session.execute_sql(&sql, values).await? == 1)
}

/// Stores the progress. Returns false if the lease is lost.
pub(crate) async fn progress(
    session: &Session,
    lease: &Lease,
    progress: Progress,
) -> Result<bool, Unexpected> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let sql = format!("UPDATE jobs SET progress_done = $4, progress_total = $5 WHERE {HELD}");
    let values = lease.values([number(progress.done).into(), number(progress.total).into()]);
    Ok(session.execute_sql(&sql, values).await? == 1)
}

/// Stores how an attempt ended that did not succeed. Returns false if the lease is lost.
pub(crate) async fn settle(
    database: &Database,
    lease: &Lease,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let session = database.session(Access::Write);
    let (sql, values) = match outcome {
        Outcome::Retry(pause, error) => (
            // A cancellation that came meanwhile ends it here.
            format!(
                "UPDATE jobs SET node = NULL, error = $5, run_at = $4,
                    status = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'scheduled' END,
                    finished_at = CASE WHEN cancel_requested THEN $6 END WHERE {HELD}"
            ),
            lease.values([
                now.micros().saturating_add(micros(*pause)).into(),
                short(error).into(),
                time(now),
            ]),
        ),
        Outcome::Failed(error) => (
            format!(
                "UPDATE jobs SET status = 'failed', node = NULL, finished_at = $4, error = $5, {KEPT_KEY} WHERE {HELD}"
            ),
            lease.values([time(now), short(error).into()]),
        ),
        Outcome::Cancelled => (
            format!(
                "UPDATE jobs SET status = 'cancelled', node = NULL, finished_at = $4, unique_key = NULL WHERE {HELD}"
            ),
            lease.values([time(now)]),
        ),
        Outcome::HandedBack => {
            session.wake(CHANNEL);
            (
                format!(
                    "UPDATE jobs SET status = 'queued', node = NULL, attempts = attempts - 1 WHERE {HELD}"
                ),
                lease.values([]),
            )
        }
    };
    let changed = session.execute_sql(&sql, values).await?;
    session.commit().await?;
    Ok(changed == 1)
}

/// Fails a job whose handler is unknown or whose attempts are used up by crashes.
pub(crate) fn failed(error: impl Into<String>) -> Outcome {
    Outcome::Failed(error.into())
}

/// NUL is no text on PostgreSQL.
fn short(error: &str) -> String {
    error
        .chars()
        .filter(|c| *c != '\0')
        .take(MAX_ERROR_CHARS)
        .collect()
}
