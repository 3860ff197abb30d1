//! Taking jobs: each is claimed by one worker.

use doyen_core::{Access, JobId, Progress, Rate, Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::sea_orm::{DbBackend, Value};
use doyen_data::{Database, Row, Session};

use super::time;
use crate::settings::QueueSettings;

/// Maximum number of scheduled jobs that one statement makes ready.
const STAGE_BATCH: i64 = 1000;

/// A job that this worker has claimed.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) id: JobId,
    pub(crate) name: String,
    pub(crate) queue: String,
    pub(crate) payload: String,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) progress: Progress,
    pub(crate) trace: Option<String>,
    pub(crate) run_at: Timestamp,
}

#[derive(Row)]
struct ClaimedRow {
    id: Uuid,
    name: String,
    payload: String,
    priority: i16,
    run_at: i64,
    attempts: i32,
    max_attempts: i32,
    progress_done: i64,
    progress_total: i64,
    trace: Option<String>,
}

#[derive(Row)]
struct Count {
    n: i64,
}

#[derive(Row)]
struct QueueRow {
    paused: bool,
    full_at: i64,
}

#[derive(Row)]
struct Due {
    run_at: Option<i64>,
}

/// Returns true if a job of this queue waits. It is a read, so that an idle worker writes nothing.
pub(crate) async fn has_work(database: &Database, queue: &str) -> Result<bool, Unexpected> {
    let session = database.session(Access::Read);
    let sql = "SELECT count(*) AS n FROM (SELECT 1 FROM jobs WHERE status = 'queued' AND queue = $1 LIMIT 1) AS waiting";
    let count: Option<Count> = session.query_one_as(sql, [queue.into()]).await?;
    Ok(count.is_some_and(|count| count.n > 0))
}

/// Makes the scheduled jobs ready whose time has come. Returns the time of the next one.
pub(crate) async fn stage(
    database: &Database,
    now: Timestamp,
) -> Result<Option<Timestamp>, Unexpected> {
    let next = "SELECT min(run_at) AS run_at FROM jobs WHERE status = 'scheduled'";
    let first: Option<Due> = database
        .session(Access::Read)
        .query_one_as(next, [])
        .await?;
    let first = first.and_then(|due| due.run_at).map(Timestamp::from_micros);
    match first {
        Some(first) if first <= now => {}
        first => return Ok(first),
    }
    let session = database.session(Access::Write);
    let skip = skip_locked(database);
    let sql = format!(
        "UPDATE jobs SET status = 'queued' WHERE id IN
            (SELECT id FROM jobs WHERE status = 'scheduled' AND run_at <= $1 ORDER BY run_at LIMIT {STAGE_BATCH}{skip})
            AND status = 'scheduled'"
    );
    session.execute_sql(&sql, [time(now)]).await?;
    session.commit().await?;
    // There may be more: look again at once.
    Ok(Some(now))
}

/// Claims up to `limit` jobs of a queue, of these kinds.
pub(crate) async fn claim(
    database: &Database,
    queue: &QueueSettings,
    names: &str,
    node: Uuid,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Claimed>, Unexpected> {
    let session = database.session(Access::Write);
    let limit = match allowed(&session, queue, limit, now).await? {
        0 => {
            session.rollback().await;
            return Ok(Vec::new());
        }
        limit => limit,
    };
    let skip = skip_locked(database);
    // A materialized list: PostgreSQL may run a subquery in `IN` more than once.
    let sql = format!(
        "WITH picked AS MATERIALIZED (
            SELECT id FROM jobs WHERE status = 'queued' AND queue = $1 AND name IN ({names})
                AND NOT EXISTS (SELECT 1 FROM jobs_queues WHERE name = $1 AND paused)
            ORDER BY priority DESC, run_at, id LIMIT {limit}{skip}
        )
        UPDATE jobs SET status = 'running', node = $2, attempts = attempts + 1, started_at = $3
        WHERE id IN (SELECT id FROM picked)
        RETURNING id, name, payload, priority, run_at, attempts, max_attempts, progress_done, progress_total, trace"
    );
    let values: [Value; 3] = [queue.name.as_str().into(), node.into(), time(now)];
    let mut rows: Vec<ClaimedRow> = session.query_as(&sql, values).await?;
    if let Some(rate) = &queue.rate {
        take(&session, queue, rate, rows.len(), now).await?;
    }
    session.commit().await?;
    rows.sort_by_key(|row| (-row.priority, row.run_at, row.id));
    Ok(rows.into_iter().map(|row| claimed(row, queue)).collect())
}

/// Returns how many jobs may start by the total and the rate of the queue. Its row stays locked
/// until the commit, so that processes count one after another.
async fn allowed(
    session: &Session,
    queue: &QueueSettings,
    limit: usize,
    now: Timestamp,
) -> Result<usize, Unexpected> {
    if queue.total.is_none() && queue.rate.is_none() {
        return Ok(limit);
    }
    let name = || [queue.name.as_str().into()];
    let insert = "INSERT INTO jobs_queues (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
    session.execute_sql(insert, name()).await?;
    let lock = match session.backend() {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    };
    let sql = format!("SELECT paused, full_at FROM jobs_queues WHERE name = $1{lock}");
    let row: Option<QueueRow> = session.query_one_as(&sql, name()).await?;
    let Some(row) = row.filter(|row| !row.paused) else {
        return Ok(0);
    };
    let mut limit = limit;
    if let Some(total) = queue.total {
        let sql = "SELECT count(*) AS n FROM jobs WHERE status = 'running' AND queue = $1";
        let running: Option<Count> = session.query_one_as(sql, name()).await?;
        let running = running.map_or(0, |count| usize::try_from(count.n).unwrap_or(0));
        limit = limit.min((total as usize).saturating_sub(running));
    }
    if let Some(rate) = &queue.rate {
        // GCRA: each start moves the time at which the bucket is full by one interval.
        let room = now.micros() + rate.tolerance() - row.full_at.max(now.micros());
        let starts = room.max(0) / rate.interval().max(1);
        limit = limit.min(usize::try_from(starts).unwrap_or(0));
    }
    Ok(limit)
}

async fn take(
    session: &Session,
    queue: &QueueSettings,
    rate: &Rate,
    starts: usize,
    now: Timestamp,
) -> Result<(), Unexpected> {
    let taken = rate
        .interval()
        .saturating_mul(i64::try_from(starts).unwrap_or(0));
    let sql = "UPDATE jobs_queues SET full_at = CASE WHEN full_at > $2 THEN full_at ELSE $2 END + $3 WHERE name = $1";
    let values: [Value; 3] = [queue.name.as_str().into(), time(now), taken.into()];
    session.execute_sql(sql, values).await?;
    Ok(())
}

fn skip_locked(database: &Database) -> &'static str {
    match database.backend() {
        DbBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    }
}

fn claimed(row: ClaimedRow, queue: &QueueSettings) -> Claimed {
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    Claimed {
        id: row.id.into(),
        name: row.name,
        queue: queue.name.clone(),
        payload: row.payload,
        attempt: u32::try_from(row.attempts).unwrap_or(0),
        max_attempts: u32::try_from(row.max_attempts).unwrap_or(0),
        progress: Progress {
            done: number(row.progress_done),
            total: number(row.progress_total),
        },
        trace: row.trace,
        run_at: Timestamp::from_micros(row.run_at),
    }
}
