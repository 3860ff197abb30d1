//! The processes that work: heartbeats, the rescue of the jobs of dead ones, and retention.

use std::time::Duration;

use doyen_core::{Access, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Database, Session};

use super::{CHANNEL, micros, time};

/// Maximum number of rows that one statement deletes.
const SWEEP_BATCH: i64 = 1000;

async fn write(
    database: &Database,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, Unexpected> {
    let session: Session = database.session(Access::Write);
    let changed = session.execute_sql(sql, values).await?;
    session.commit().await?;
    Ok(changed)
}

/// Adds this process.
pub(crate) async fn register(
    database: &Database,
    node: Uuid,
    now: Timestamp,
) -> Result<(), Unexpected> {
    let sql = "INSERT INTO jobs_nodes (id, seen_at) VALUES ($1, $2)";
    write(database, sql, [node.into(), time(now)])
        .await
        .map(drop)
}

/// Renews the lease of all jobs of this process. Returns false if it was taken for dead.
pub(crate) async fn heartbeat(
    database: &Database,
    node: Uuid,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let sql = "UPDATE jobs_nodes SET seen_at = $2 WHERE id = $1";
    Ok(write(database, sql, [node.into(), time(now)]).await? == 1)
}

/// Removes this process.
pub(crate) async fn leave(database: &Database, node: Uuid) -> Result<(), Unexpected> {
    let sql = "DELETE FROM jobs_nodes WHERE id = $1";
    write(database, sql, [node.into()]).await.map(drop)
}

/// Hands the jobs of dead processes to others. An attempt that a crash ended counts, so that a job
/// that kills its worker does not do so forever. Returns the number of jobs.
pub(crate) async fn rescue(
    database: &Database,
    lease: Duration,
    now: Timestamp,
) -> Result<u64, Unexpected> {
    let oldest: Value = (now.micros() - micros(lease)).into();
    let session = database.session(Access::Write);
    let dead = "DELETE FROM jobs_nodes WHERE seen_at < $1";
    session.execute_sql(dead, [oldest]).await?;
    let sql = "UPDATE jobs SET node = NULL, error = 'the process that ran it died or stalled',
            status = CASE WHEN cancel_requested THEN 'cancelled' WHEN attempts >= max_attempts THEN 'failed' ELSE 'queued' END,
            finished_at = CASE WHEN cancel_requested OR attempts >= max_attempts THEN $1 END
        WHERE status = 'running' AND NOT EXISTS (SELECT 1 FROM jobs_nodes WHERE jobs_nodes.id = jobs.node)";
    let rescued = session.execute_sql(sql, [time(now)]).await?;
    if rescued > 0 {
        session.wake(CHANNEL);
    }
    session.commit().await?;
    Ok(rescued)
}

/// Deletes jobs that ended long ago. Returns true if there may be more.
pub(crate) async fn sweep(
    database: &Database,
    statuses: &str,
    keep: Duration,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let sql = format!(
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status IN ({statuses}) AND finished_at < $1 LIMIT {SWEEP_BATCH})"
    );
    let oldest = now.micros() - micros(keep);
    let deleted = write(database, &sql, [oldest.into()]).await?;
    Ok(i64::try_from(deleted).unwrap_or(0) >= SWEEP_BATCH)
}

/// Releases the unique keys that ended jobs keep no longer.
pub(crate) async fn release_keys(database: &Database, now: Timestamp) -> Result<(), Unexpected> {
    let sql = "UPDATE jobs SET unique_key = NULL
        WHERE unique_key IS NOT NULL AND finished_at IS NOT NULL AND unique_until <= $1";
    write(database, sql, [time(now)]).await.map(drop)
}
