//! Show and cancel jobs. A job is visible to the user who started it, and to administrators.

use doyen::domain::{JobId, JobInfo, JobStatus};
use doyen::prelude::*;

use crate::access::{Role, Scope, User};

/// A background job.
#[derive(Output)]
#[output(name = "Job")]
pub(crate) struct JobView {
    /// Job id.
    id: JobId,
    /// Status.
    status: JobState,
    /// Progress.
    progress: JobProgress,
    /// Result of a job that is done, otherwise null.
    result: Option<JobResult>,
    /// Creation time.
    created_at: Timestamp,
    /// Time of the end, or null.
    finished_at: Option<Timestamp>,
    /// Links to the job and to the actions available to the caller.
    #[output(rename = "_links")]
    links: LinkMap,
}

/// Status of a job.
#[derive(Clone, Copy, Output)]
pub(crate) enum JobState {
    /// Waiting for a worker, or for the next attempt.
    Queued,
    /// Running.
    Running,
    /// Done.
    Done,
    /// Failed, without a further attempt.
    Failed,
    /// Cancelled.
    Cancelled,
}

/// Progress of a job.
#[derive(Output)]
pub(crate) struct JobProgress {
    /// Number of items that are done.
    done: u64,
    /// Number of all items, or 0 before the start.
    total: u64,
}

/// Result of a job.
#[derive(Output)]
pub(crate) struct JobResult {
    /// Number of created tickets.
    created: u64,
}

/// The job does not exist, or the caller did not start it. Check the id.
#[derive(Debug, Problem)]
#[problem(not_found)]
pub(crate) struct JobNotFound;

/// The job has ended and cannot be cancelled any more. Its `status` says how it ended.
#[derive(Debug, Problem)]
#[problem(conflict)]
pub(crate) struct JobEnded;

/// Errors when reading a job.
#[derive(Debug, Problem)]
pub(crate) enum FindJob {
    /// The job does not exist, or the caller did not start it.
    #[problem(transparent)]
    Missing(JobNotFound),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Errors when cancelling a job.
#[derive(Debug, Problem)]
pub(crate) enum CancelJob {
    /// The job cannot be read.
    #[problem(transparent)]
    Find(FindJob),
    /// The job has ended.
    #[problem(transparent)]
    Ended(JobEnded),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Get a job
///
/// Poll it until `status` is `done`, `failed` or `cancelled`.
#[get("/{id}", allow = Scope::TicketsRead.role(Role::Agent).role(Role::Admin))]
pub(crate) async fn show(
    me: User,
    jobs: Jobs,
    links: Links,
    /// Job id.
    #[path]
    id: JobId,
) -> Result<Json<JobView>, FindJob> {
    let job = find(me, &jobs, id).await?;
    Ok(Json(view(job, &links)))
}

/// Cancel a job
///
/// A job that waits ends at once. A running job ends after its current step; what it has done so
/// far stays.
#[post("/{id}/cancel", allow = Scope::TicketsWrite.role(Role::Agent).role(Role::Admin), returns = "The job.")]
pub(crate) async fn cancel(
    me: User,
    jobs: Jobs,
    links: Links,
    /// Job id.
    #[path]
    id: JobId,
) -> Result<Json<JobView>, CancelJob> {
    find(me, &jobs, id).await?;
    if !jobs.cancel(id).await? {
        return Err(JobEnded.into());
    }
    let job = find(me, &jobs, id).await?;
    Ok(Json(view(job, &links)))
}

async fn find(me: User, jobs: &Jobs, id: JobId) -> Result<JobInfo, FindJob> {
    let job = jobs.find(id).await?.ok_or(JobNotFound)?;
    let own = job.owner == Some(me.id.to_string());
    // Jobs without an owner are those of the application.
    if own || (me.role == Role::Admin && job.owner.is_some()) {
        Ok(job)
    } else {
        Err(JobNotFound.into())
    }
}

fn view(job: JobInfo, links: &Links) -> JobView {
    let id: &[&dyn std::fmt::Display] = &[&job.id];
    let created = job
        .result
        .as_ref()
        .and_then(|result| result["created"].as_u64());
    JobView {
        id: job.id,
        status: match job.status {
            JobStatus::Queued => JobState::Queued,
            JobStatus::Running => JobState::Running,
            JobStatus::Done => JobState::Done,
            JobStatus::Failed => JobState::Failed,
            JobStatus::Cancelled => JobState::Cancelled,
        },
        progress: JobProgress {
            done: job.progress.done,
            total: job.progress.total,
        },
        result: created.map(|created| JobResult { created }),
        created_at: job.created_at,
        finished_at: job.finished_at,
        links: links
            .map()
            .to::<show>("self", id)
            .to_if::<cancel>(!job.status.is_final(), "cancel", id)
            .done(),
    }
}
