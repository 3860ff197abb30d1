//! The handler of a kind of job: an extension point of the application.

use std::sync::Arc;
use std::time::Duration;

use super::{Job, JobError, JobRun};
use crate::inject::{BoxFuture, Context, Needs};

/// The result of a job as JSON; `None` for `()`.
pub type JobOutput = Option<String>;

type RunFn = Arc<
    dyn Fn(Context, String, JobRun) -> BoxFuture<'static, Result<JobOutput, JobError>>
        + Send
        + Sync,
>;

/// The handler of one kind of job: the extension point for `Registrar::contribute`. Two handlers of
/// one name are a mistake that is reported at the start.
#[derive(Clone)]
pub struct JobHandler {
    /// Name of the kind.
    pub name: &'static str,
    /// Its queue.
    pub queue: &'static str,
    /// Attempts until a job that fails becomes dead.
    pub max_attempts: u32,
    /// Maximum time of one attempt.
    pub timeout: Duration,
    /// What it injects.
    pub needs: Needs,
    /// The pause after a failed attempt.
    pub backoff: fn(u32) -> Duration,
    run: RunFn,
}

impl JobHandler {
    /// The handler of a job.
    pub fn of<J: Job>() -> Self {
        let mut needs = Needs::default();
        needs.add::<J::Needs>();
        Self {
            name: J::NAME,
            queue: J::QUEUE,
            max_attempts: J::MAX_ATTEMPTS,
            timeout: J::TIMEOUT,
            needs,
            backoff: J::backoff,
            run: Arc::new(|cx, payload, job| Box::pin(run::<J>(cx, payload, job))),
        }
    }

    /// Runs a job with this payload in this context. The caller commits the context.
    ///
    /// # Errors
    ///
    /// Returns the error of the job; a payload that cannot be read is permanent.
    pub async fn run(
        &self,
        cx: Context,
        payload: String,
        job: JobRun,
    ) -> Result<JobOutput, JobError> {
        (self.run)(cx, payload, job).await
    }
}

async fn run<J: Job>(cx: Context, payload: String, job: JobRun) -> Result<JobOutput, JobError> {
    let read: J = serde_json::from_str(&payload)
        .map_err(|error| JobError::permanent(format!("the payload cannot be read: {error}")))?;
    drop(payload);
    let needs = cx.get::<J::Needs>().await.map_err(JobError::from_problem)?;
    let output = read.run(needs, job).await?;
    let json = serde_json::to_string(&output)
        .map_err(|error| JobError::permanent(format!("the result is not JSON: {error}")))?;
    Ok((json != "null").then_some(json))
}

impl std::fmt::Debug for JobHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobHandler")
            .field("name", &self.name)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
