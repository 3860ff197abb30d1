//! Background jobs: what a domain and a plugin know of them. The plugin `jobs` runs them.
//!
//! A [`Job`] is a payload with a name, and the work to do with it:
//!
//! ```
//! # extern crate doyen_core as doyen;
//! use doyen_core::{Inject, Job, JobError, JobRun, Jobs, NewJob, Unexpected};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Inject)]
//! struct Receipts {}
//!
//! #[derive(Serialize, Deserialize)]
//! struct SendReceipt {
//!     order: u64,
//! }
//!
//! impl Job for SendReceipt {
//!     const NAME: &'static str = "orders.send_receipt";
//!     const QUEUE: &'static str = "mail";
//!     type Needs = Receipts;
//!     type Output = ();
//!
//!     async fn run(self, receipts: Receipts, job: JobRun) -> Result<(), JobError> {
//!         // Everything that is written here commits together with the mark that the job is done.
//! #       let _ = (receipts, job, self.order);
//!         Ok(())
//!     }
//! }
//!
//! async fn place_order(jobs: &Jobs) -> Result<(), Unexpected> {
//!     jobs.enqueue(SendReceipt { order: 7 }).await?; // joins the transaction of the request
//!     jobs.enqueue(NewJob::new(SendReceipt { order: 8 }).unique("receipt-8")).await?;
//!     Ok(())
//! }
//! ```
//!
//! | who | does |
//! | --- | --- |
//! | a module | `Module::job::<SendReceipt>()` registers the handler |
//! | a plugin | `app.contribute(JobHandler::of::<SendReceipt>())`, and `manifest.requires("jobs")` |
//! | a handler or service | injects [`Jobs`] and enqueues in its unit of work |
//! | work outside of a request | [`Jobs::enqueue_now`] enqueues in a transaction of its own |
//! | a schedule | `app.contribute(Schedule::new("nightly", "0 3 * * *", || NewJob::new(..)))` |
//!
//! A plugin that works with and without jobs declares `manifest.after("jobs")` and asks
//! `app.has("jobs")`. Nothing imports the crate of the plugin `jobs`.
//!
//! # What a job may rely on
//!
//! - It exists if and only if the transaction that enqueued it committed.
//! - It runs at least once. What it writes with its Session is applied **once**: the Session
//!   commits together with the mark `done`, and a worker that lost its lease cannot commit.
//! - What it does elsewhere (a mail, an HTTP call) may happen twice, after a crash between the call
//!   and the commit. Send [`JobRun::id`] as an idempotency key where the other side takes one.
//! - A job of many steps commits each with [`JobRun::step`] and continues after the last one.

mod error;
mod handler;
mod new;
mod run;
mod schedule;

pub use error::JobError;
pub use handler::{JobHandler, JobOutput};
pub use new::NewJob;
pub use run::{JobControl, JobRun, Progress, StepWork};
pub use schedule::{MissedRuns, Schedule};

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::id::Named;
use crate::inject::BoxFuture;
use crate::{Id, Inject, Timestamp, Unexpected};

/// A kind of job: its payload, which is stored as JSON, and the work to do. See the
/// [module](self).
///
/// Payloads outlive deployments: a field that is added needs `#[serde(default)]`.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Name in the database: `orders.send_receipt`. Never change it while jobs wait.
    const NAME: &'static str;
    /// The queue, whose workers and rate are limited by settings.
    const QUEUE: &'static str = "default";
    /// Attempts until a job that fails becomes dead.
    const MAX_ATTEMPTS: u32 = 20;
    /// Maximum time of one attempt. It then fails, and its Session is rolled back.
    const TIMEOUT: Duration = Duration::from_secs(5 * 60);
    /// What the work needs: an injectable type, a tuple of up to four, or `()`.
    type Needs: Inject;
    /// The result, stored as JSON. `()` stores none.
    type Output: Serialize + Send;

    /// Returns the pause after the failed attempt of this number, from 1. The default doubles from
    /// one second up to an hour. Up to a quarter is added at random, so that jobs that failed
    /// together do not return together.
    fn backoff(attempt: u32) -> Duration {
        let doubled = 1_u64 << (attempt.saturating_sub(1)).min(12);
        Duration::from_secs(doubled.min(60 * 60))
    }

    /// Does the work. Its Session commits if it returns `Ok`.
    fn run(
        self,
        needs: Self::Needs,
        job: JobRun,
    ) -> impl Future<Output = Result<Self::Output, JobError>> + Send;
}

/// The type of job ids.
#[derive(Debug)]
pub struct JobRow;

impl Named for JobRow {
    const PREFIX: &'static str = "job";
}

/// The id of a job: `job_…`.
pub type JobId = Id<JobRow>;

/// The port that enqueues jobs; [`Jobs`] is its comfortable form. The plugin `jobs` supplies it,
/// per request: it uses the Session of the request.
pub trait JobQueue: Send + Sync + 'static {
    /// Enqueues in the running unit of work. Returns the id, which is that of the waiting job if
    /// the unique key is taken.
    fn push(&self, job: NewJob) -> BoxFuture<'_, Result<JobId, Unexpected>>;

    /// Enqueues in a transaction of its own, at once.
    fn push_now(&self, job: NewJob) -> BoxFuture<'_, Result<JobId, Unexpected>>;

    /// Returns a job as this unit of work sees it.
    fn find(&self, id: JobId) -> BoxFuture<'_, Result<Option<JobInfo>, Unexpected>>;

    /// Requests cancellation in this unit of work. Returns false if the job has ended or does not
    /// exist.
    fn cancel(&self, id: JobId) -> BoxFuture<'_, Result<bool, Unexpected>>;
}

impl<Q: JobQueue> crate::Port<Q> for dyn JobQueue {
    fn adapt(queue: Q) -> Arc<dyn JobQueue> {
        Arc::new(queue)
    }
}

/// Enqueues jobs in the unit of work of the request or job that injects it.
#[derive(Clone, Inject)]
pub struct Jobs {
    queue: Arc<dyn JobQueue>,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    /// Enqueues a job in the running unit of work: it exists if and only if that commits. Returns
    /// its id.
    ///
    /// With a unique key that a waiting or running job has, it enqueues none and returns the id of
    /// that job.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload is too large or cannot be written as JSON, if no handler
    /// is registered for the job, or if the database fails.
    pub async fn enqueue(&self, job: impl Into<NewJob>) -> Result<JobId, Unexpected> {
        self.queue.push(job.into()).await
    }

    /// Enqueues a job in a transaction of its own: for work outside of a request, and for a job
    /// that must exist even if the request fails.
    ///
    /// # Errors
    ///
    /// The same as for [`enqueue`](Self::enqueue).
    pub async fn enqueue_now(&self, job: impl Into<NewJob>) -> Result<JobId, Unexpected> {
        self.queue.push_now(job.into()).await
    }

    /// Returns the state of a job.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn find(&self, id: JobId) -> Result<Option<JobInfo>, Unexpected> {
        self.queue.find(id).await
    }

    /// Cancels a job, as part of the running unit of work. A waiting job ends at once, a running
    /// one is asked to: see [`JobRun::cancelled`]. Returns false if the job has ended before.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn cancel(&self, id: JobId) -> Result<bool, Unexpected> {
        self.queue.cancel(id).await
    }
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Waits for a worker, for its time, or for its next attempt.
    Queued,
    /// A worker runs it.
    Running,
    /// It ended well.
    Done,
    /// Its attempts are used up, or it failed for good. It can be retried by hand.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobStatus {
    /// Returns the name, as in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            JobStatus::Queued => "queued",
            JobStatus::Running => "running",
            JobStatus::Done => "done",
            JobStatus::Failed => "failed",
            JobStatus::Cancelled => "cancelled",
        }
    }

    /// Returns true if the job has ended.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            JobStatus::Done | JobStatus::Failed | JobStatus::Cancelled
        )
    }
}

/// A job, as it is stored.
#[derive(Clone, Debug)]
pub struct JobInfo {
    /// Id.
    pub id: JobId,
    /// Name of its kind.
    pub name: String,
    /// Queue.
    pub queue: String,
    /// State.
    pub status: JobStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// Maximum number of attempts.
    pub max_attempts: u32,
    /// True if its cancellation was requested.
    pub cancel_requested: bool,
    /// Last progress that was committed or reported.
    pub progress: Progress,
    /// The owner that [`NewJob::owner`] named.
    pub owner: Option<String>,
    /// The result, as JSON.
    pub result: Option<serde_json::Value>,
    /// Error of the last attempt.
    pub error: Option<String>,
    /// Time of the enqueuing.
    pub created_at: Timestamp,
    /// Earliest time of the next attempt.
    pub run_at: Timestamp,
    /// Time of the end.
    pub finished_at: Option<Timestamp>,
}
