//! Reading jobs, and what people do with them: cancel, retry, pause.

use doyen_core::{Access, JobId, JobInfo, JobStatus, Progress, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Database, Row, Session};

use super::{CANCEL_CHANNEL, CHANNEL, time};

const COLUMNS: &str = "id, name, queue, status, attempts, max_attempts, cancel_requested, progress_done, progress_total, owner, result, error, created_at, run_at, finished_at";

/// A job, as the commands and the port show it.
#[derive(Row)]
pub(crate) struct JobRecord {
    id: Uuid,
    name: String,
    queue: String,
    status: String,
    attempts: i32,
    max_attempts: i32,
    cancel_requested: bool,
    progress_done: i64,
    progress_total: i64,
    owner: Option<String>,
    result: Option<String>,
    error: Option<String>,
    created_at: i64,
    run_at: i64,
    finished_at: Option<i64>,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) status: Option<&'static str>,
    pub(crate) limit: u32,
}

/// Number and age of the jobs of a queue in one state.
#[derive(Row, Clone, Debug)]
pub(crate) struct Depth {
    pub(crate) queue: String,
    pub(crate) status: String,
    pub(crate) jobs: i64,
    pub(crate) oldest: Option<i64>,
}

#[derive(Row)]
struct IdRow {
    id: Uuid,
}

pub(crate) async fn find(session: &Session, id: JobId) -> Result<Option<JobInfo>, Unexpected> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
    let row: Option<JobRecord> = session.query_one_as(&sql, [id.uuid().into()]).await?;
    Ok(row.map(JobInfo::from))
}

/// Returns jobs, the newest first.
pub(crate) async fn list(database: &Database, filter: &Filter) -> Result<Vec<JobInfo>, Unexpected> {
    let session = database.session(Access::Read);
    let condition = match filter.status {
        Some("queued") => "WHERE status IN ('queued', 'scheduled')".to_owned(),
        Some(status) => format!("WHERE status = '{status}'"),
        None => String::new(),
    };
    let limit = filter.limit;
    let sql = format!("SELECT {COLUMNS} FROM jobs {condition} ORDER BY id DESC LIMIT {limit}");
    let rows: Vec<JobRecord> = session.query_as(&sql, []).await?;
    Ok(rows.into_iter().map(JobInfo::from).collect())
}

/// Requests cancellation. A job that waits ends at once. Returns false if there is none.
pub(crate) async fn cancel(
    session: &Session,
    id: JobId,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let sql = "UPDATE jobs SET cancel_requested = TRUE,
            finished_at = CASE WHEN status <> 'running' THEN $2 END,
            unique_key = CASE WHEN status = 'running' THEN unique_key END,
            status = CASE WHEN status = 'running' THEN status ELSE 'cancelled' END
        WHERE id = $1 AND status IN ('scheduled', 'queued', 'running')";
    let changed = session
        .execute_sql(sql, [id.uuid().into(), time(now)])
        .await?;
    if changed > 0 {
        session.wake(CANCEL_CHANNEL);
    }
    Ok(changed > 0)
}

/// Returns the running jobs of a process whose cancellation was requested.
pub(crate) async fn cancelled(database: &Database, node: Uuid) -> Result<Vec<JobId>, Unexpected> {
    let sql = "SELECT id FROM jobs WHERE status = 'running' AND node = $1 AND cancel_requested";
    let session = database.session(Access::Read);
    let rows: Vec<IdRow> = session.query_as(sql, [node.into()]).await?;
    Ok(rows.into_iter().map(|row| row.id.into()).collect())
}

/// Runs a job again that failed or was cancelled, with new attempts. Its committed steps stay.
pub(crate) async fn retry(
    session: &Session,
    id: JobId,
    attempts: u32,
    now: Timestamp,
) -> Result<bool, Unexpected> {
    let attempts = i32::try_from(attempts.max(1)).unwrap_or(i32::MAX);
    let sql = "UPDATE jobs SET status = 'queued', cancel_requested = FALSE, finished_at = NULL, run_at = $2,
            max_attempts = attempts + $3
        WHERE id = $1 AND status IN ('failed', 'cancelled')";
    let values: [Value; 3] = [id.uuid().into(), time(now), attempts.into()];
    let changed = session.execute_sql(sql, values).await?;
    if changed > 0 {
        session.wake(CHANNEL);
    }
    Ok(changed > 0)
}

/// Pauses or resumes a queue on all processes. Running jobs continue.
pub(crate) async fn set_paused(
    session: &Session,
    queue: &str,
    paused: bool,
) -> Result<(), Unexpected> {
    let sql = "INSERT INTO jobs_queues (name, paused) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET paused = excluded.paused";
    session
        .execute_sql(sql, [queue.into(), paused.into()])
        .await?;
    session.wake(CHANNEL);
    Ok(())
}

/// Counts the jobs that did not end well yet, by queue and state.
pub(crate) async fn depths(database: &Database) -> Result<Vec<Depth>, Unexpected> {
    let sql = "SELECT queue, status, count(*) AS jobs, min(run_at) AS oldest FROM jobs
        WHERE status IN ('queued', 'scheduled', 'running', 'failed') GROUP BY queue, status";
    Ok(database.session(Access::Read).query_as(sql, []).await?)
}

impl From<JobRecord> for JobInfo {
    fn from(row: JobRecord) -> Self {
        let count = |n: i32| u32::try_from(n).unwrap_or(0);
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Self {
            id: row.id.into(),
            name: row.name,
            queue: row.queue,
            status: match row.status.as_str() {
                "running" => JobStatus::Running,
                "done" => JobStatus::Done,
                "failed" => JobStatus::Failed,
                "cancelled" => JobStatus::Cancelled,
                _ => JobStatus::Queued,
            },
            attempts: count(row.attempts),
            max_attempts: count(row.max_attempts),
            cancel_requested: row.cancel_requested,
            progress: Progress {
                done: number(row.progress_done),
                total: number(row.progress_total),
            },
            owner: row.owner,
            result: row.result.and_then(|json| serde_json::from_str(&json).ok()),
            error: row.error,
            created_at: Timestamp::from_micros(row.created_at),
            run_at: Timestamp::from_micros(row.run_at),
            finished_at: row.finished_at.map(Timestamp::from_micros),
        }
    }
}
