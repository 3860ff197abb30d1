//! A running job, as its work sees it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{JobError, JobId};
use crate::inject::{BoxFuture, Context};
use crate::{Inject, TraceContext, Unexpected};

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps that are done.
    pub done: u64,
    /// Number of steps, or 0 if it is not known.
    pub total: u64,
}

/// The work of a step in a context of its own.
pub type StepWork<'a> = Box<dyn FnOnce(Context) -> BoxFuture<'a, Result<(), JobError>> + Send + 'a>;

/// What a worker offers to the job that it runs. [`JobRun`] is its comfortable form.
pub trait JobControl: Send + Sync {
    /// Runs a step in a unit of work of its own, and commits it with the progress.
    fn step<'a>(
        &'a self,
        progress: Progress,
        work: StepWork<'a>,
    ) -> BoxFuture<'a, Result<(), JobError>>;

    /// Stores the progress in a transaction of its own.
    fn report(&self, progress: Progress) -> BoxFuture<'_, Result<(), Unexpected>>;

    /// Completes when the job should end: it was cancelled, its lease is lost, or it is handed
    /// back.
    fn cancelled(&self) -> BoxFuture<'_, ()>;

    /// Returns true once [`cancelled`](Self::cancelled) completes.
    fn is_cancelled(&self) -> bool;
}

/// The running job: its id, progress and cancellation. Clones share it.
#[derive(Clone)]
pub struct JobRun {
    control: Arc<dyn JobControl>,
    id: JobId,
    attempt: u32,
    max_attempts: u32,
    progress: Progress,
    trace: TraceContext,
}

impl std::fmt::Debug for JobRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobRun")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl JobRun {
    /// A run, made by a worker.
    pub fn new(
        control: Arc<dyn JobControl>,
        id: JobId,
        (attempt, max_attempts): (u32, u32),
        progress: Progress,
        trace: TraceContext,
    ) -> Self {
        Self {
            control,
            id,
            attempt,
            max_attempts,
            progress,
            trace,
        }
    }

    /// Returns the id of the job, the same in each attempt: use it as an idempotency key.
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// Returns the number of this attempt, from 1.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns true if a failure of this attempt makes the job dead.
    pub const fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// Returns the progress at the beginning of this attempt: the steps that are committed.
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Returns the trace of the request that enqueued the job, continued.
    pub const fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// Runs a step of a longer job in a unit of work of its own, with what it injects from there,
    /// and commits it together with `progress`. After a crash, [`progress`](Self::progress) says
    /// how many steps are committed, so that each is applied once:
    ///
    /// ```
    /// # use doyen_core::{Inject, JobError, JobRun, Progress};
    /// # async fn import<Importer: Inject>(
    /// #     job: JobRun,
    /// #     chunks: Vec<String>,
    /// # ) -> Result<(), JobError> {
    /// let total = chunks.len() as u64;
    /// for (done, chunk) in (0..total).zip(chunks).skip(job.progress().done as usize) {
    ///     let progress = Progress { done: done + 1, total };
    ///     job.step(progress, async move |importer: Importer| {
    ///         // importer.import(chunk).await?
    /// #       let _ = (importer, chunk);
    ///         Ok(())
    ///     })
    ///     .await?;
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Before the first step, do not use the Session of the job itself: on SQLite it would hold the
    /// only writer.
    ///
    /// # Errors
    ///
    /// Returns the error of the work, of the commit, or [`JobError::Cancelled`] if the job was
    /// cancelled before the step.
    pub async fn step<'a, T, F, Fut>(&'a self, progress: Progress, work: F) -> Result<(), JobError>
    where
        T: Inject,
        F: FnOnce(T) -> Fut + Send + 'a,
        Fut: Future<Output = Result<(), JobError>> + Send + 'a,
    {
        let work: StepWork<'a> = Box::new(|cx| {
            Box::pin(async move {
                let value = cx.get::<T>().await.map_err(JobError::from_problem)?;
                work(value).await
            })
        });
        self.control.step(progress, work).await
    }

    /// Stores the progress at once, for readers of the job. Use [`step`](Self::step) for work that
    /// commits.
    ///
    /// On SQLite, call it before the job's Session has written: there is one writer.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn report(&self, progress: Progress) -> Result<(), Unexpected> {
        self.control.report(progress).await
    }

    /// Completes when the job should end early: its cancellation was requested, the process stops,
    /// or another worker has taken it over. The worker drops the work soon after.
    pub async fn cancelled(&self) {
        self.control.cancelled().await;
    }

    /// Returns true once the job should end early.
    pub fn is_cancelled(&self) -> bool {
        self.control.is_cancelled()
    }
}
