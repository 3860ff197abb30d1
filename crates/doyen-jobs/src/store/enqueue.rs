//! Adding jobs.

use doyen_core::{JobId, NewJob, Timestamp, Unexpected};
use doyen_data::sea_orm::Value;
use doyen_data::sea_orm::prelude::Uuid;
use doyen_data::{Row, Session};

use super::time;

/// Attempts to find the job that has a unique key while it ends.
const UNIQUE_ATTEMPTS: usize = 5;

/// Maximum length of names and keys.
const MAX_KEY_CHARS: usize = 255;

/// Limits of the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_payload: u64,
}

#[derive(Row)]
struct Holder {
    id: Uuid,
}

/// Adds a job to this unit of work. Returns its id, or that of the job that has its unique key. The
/// caller [announces](crate::dispatch::Dispatch::announce) it.
pub(crate) async fn enqueue(
    session: &Session,
    job: &NewJob,
    now: Timestamp,
    trace: Option<String>,
    limits: Limits,
) -> Result<JobId, Unexpected> {
    let payload = match &job.payload {
        Ok(payload) => payload,
        Err(why) => {
            let name = &job.name;
            return Err(Unexpected::new(format!(
                "the payload of the job `{name}` is not JSON: {why}"
            )));
        }
    };
    check(job, payload, limits)?;
    let run_at = job.run_at.unwrap_or(now) + job.delay;
    let status = if run_at > now { "scheduled" } else { "queued" };
    let unique_until = job
        .unique_key
        .as_ref()
        .map(|_| (now + job.unique_for).micros());
    let sql = "INSERT INTO jobs (id, name, queue, status, priority, payload, run_at, max_attempts, unique_key, unique_until, owner, trace, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (name, unique_key) WHERE unique_key IS NOT NULL DO NOTHING";
    for _ in 0..UNIQUE_ATTEMPTS {
        let id = JobId::new();
        let values: [Value; 13] = [
            id.uuid().into(),
            job.name.as_str().into(),
            job.queue.as_str().into(),
            status.into(),
            job.priority.into(),
            payload.as_str().into(),
            time(run_at),
            i32::try_from(job.max_attempts.max(1))
                .unwrap_or(i32::MAX)
                .into(),
            job.unique_key.clone().into(),
            unique_until.into(),
            job.owner.clone().into(),
            trace.clone().into(),
            time(now),
        ];
        if session.execute_sql(sql, values).await? == 1 {
            return Ok(id);
        }
        if let Some(holder) = holder(session, job, now).await? {
            return Ok(holder);
        }
    }
    let name = &job.name;
    Err(Unexpected::unavailable(format!(
        "the unique key of the job `{name}` changes too often"
    )))
}

/// Returns the job that has the unique key. A key that is kept too long is released.
async fn holder(
    session: &Session,
    job: &NewJob,
    now: Timestamp,
) -> Result<Option<JobId>, Unexpected> {
    let key = || {
        [
            job.name.as_str().into(),
            job.unique_key.clone().into(),
            time(now),
        ]
    };
    let release = "UPDATE jobs SET unique_key = NULL
        WHERE name = $1 AND unique_key = $2 AND unique_until <= $3 AND finished_at IS NOT NULL";
    if session.execute_sql(release, key()).await? > 0 {
        return Ok(None);
    }
    let sql = "SELECT id FROM jobs WHERE name = $1 AND unique_key = $2";
    let [name, unique_key, _] = key();
    let holder: Option<Holder> = session.query_one_as(sql, [name, unique_key]).await?;
    Ok(holder.map(|row| row.id.into()))
}

fn check(job: &NewJob, payload: &str, limits: Limits) -> Result<(), Unexpected> {
    let name = &job.name;
    if payload.len() as u64 > limits.max_payload {
        return Err(Unexpected::new(format!(
            "the payload of the job `{name}` has {} bytes, and `jobs.max_payload` is {}. Store the data and enqueue its id, or raise the limit",
            payload.len(),
            limits.max_payload
        )));
    }
    let texts = [
        Some(&job.name),
        Some(&job.queue),
        job.unique_key.as_ref(),
        job.owner.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        if text.is_empty() || text.chars().count() > MAX_KEY_CHARS || text.contains('\0') {
            return Err(Unexpected::new(format!(
                "the name, queue, unique key and owner of the job `{name}` have 1 to {MAX_KEY_CHARS} characters, and no NUL"
            )));
        }
    }
    Ok(())
}
