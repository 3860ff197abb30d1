//! One attempt of a job.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use doyen_core::inject::{Context, RequestFacts};
use doyen_core::job::JobOutput;
use doyen_core::{
    Access, JobError, JobHandler, JobRun, Observation, ObservedEnd, RequestId, StepValue,
    TraceContext, WorkKind, chain, within_work,
};
use futures_util::FutureExt as _;

use super::Worker;
use super::control::Control;
use super::outcome::{after_error, panic_text, refused};
use crate::core::{RunningGuard, RunningJob};
use crate::store::{self, Claimed, Lease, Outcome};
use doyen_data::sea_orm::prelude::Uuid;

/// Pause between two attempts to store an outcome while the database is unavailable.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);

/// How an attempt ended.
enum Ended {
    /// The job is done, and its unit of work committed.
    Done,
    /// Another process has taken it over: nothing is written.
    Lost,
    Other(Outcome),
}

impl Worker {
    /// Runs a claimed job and stores how it ended.
    pub(super) async fn run(&self, job: Claimed, node: Uuid, guard: RunningGuard) {
        let request = RequestId::new();
        let cause = job.trace.as_deref();
        let home = &self.home.0;
        // Log lines and spans belong to the trace of the request that enqueued the job.
        let (trace, observation) = home.begin_work(WorkKind::Job, &job.name, request, cause);
        let facts = RequestFacts {
            access: Some(Access::Write),
            request_id: Some(request),
            trace: Some(trace),
            caller: Some(None),
            observation: observation.clone(),
            ..RequestFacts::default()
        };
        let work = pin!(self.run_traced(job, node, guard, facts));
        within_work(request, trace, observation.as_ref(), work).await;
    }

    async fn run_traced(
        &self,
        mut job: Claimed,
        node: Uuid,
        guard: RunningGuard,
        facts: RequestFacts,
    ) {
        let began = Instant::now();
        let lease = Lease {
            id: job.id,
            node,
            attempt: job.attempt,
        };
        let observation = facts.observation.clone();
        let running = &guard.job;
        let ended = match self.core.handler(&job.name) {
            Some(handler) => {
                let cx = self.home.0.context_of(facts.clone());
                let ended = self
                    .attempt(&cx, &mut job, handler, lease, facts, running)
                    .await;
                cx.close().await;
                ended
            }
            None => Ended::Other(store::failed("no handler is registered for this job")),
        };
        let word = self.settle(&job, &lease, ended, running).await;
        let took = began.elapsed();
        self.core.figures.ended(&job.name, &job.queue, word, took);
        if let Some(observation) = &observation {
            observe_end(&**observation, &job, word);
        }
        let (id, late) = (job.id, self.core.now().since(job.run_at));
        tracing::info!(target: "jobs", %id, job = job.name, queue = job.queue, attempt = job.attempt, outcome = word, ?took, ?late, "a job ended");
    }

    async fn attempt(
        &self,
        cx: &Context,
        job: &mut Claimed,
        handler: &JobHandler,
        lease: Lease,
        facts: RequestFacts,
        running: &Arc<RunningJob>,
    ) -> Ended {
        let control = Arc::new(Control {
            container: self.home.0.clone(),
            database: self.core.database.clone(),
            facts: facts.clone(),
            lease,
            job: Arc::clone(running),
        });
        let trace = facts.trace.unwrap_or_else(|| TraceContext::start(false));
        let attempts = (job.attempt, job.max_attempts);
        let run = JobRun::new(control, job.id, attempts, job.progress, trace);
        let payload = std::mem::take(&mut job.payload);
        let work = AssertUnwindSafe(handler.run(cx.clone(), payload, run)).catch_unwind();
        let work = tokio::time::timeout(handler.timeout, work);
        let result = tokio::select! {
            result = work => result,
            () = self.out_of_time(running) => {
                cx.rollback().await;
                return self.stopped(running);
            }
        };
        let error = match result {
            Ok(Ok(Ok(output))) => match self.finish(cx, &lease, output).await {
                Ok(true) => return Ended::Done,
                Ok(false) => {
                    cx.rollback().await;
                    return Ended::Lost;
                }
                Err(error) => error,
            },
            Ok(Ok(Err(error))) => error,
            Ok(Err(panic)) => JobError::Retry(doyen_core::Unexpected::new(panic_text(&*panic))),
            Err(_) => {
                let limit = handler.timeout;
                let text = format!("it did not end within {limit:?}");
                JobError::Retry(doyen_core::Unexpected::new(text))
            }
        };
        cx.rollback().await;
        match error {
            JobError::Cancelled => self.stopped(running),
            error => Ended::Other(after_error(error, job, handler)),
        }
    }

    /// Marks the job as done and commits its unit of work. Returns false if the lease is lost.
    async fn finish(
        &self,
        cx: &Context,
        lease: &Lease,
        output: JobOutput,
    ) -> Result<bool, JobError> {
        let max = self.core.settings.max_result.bytes();
        if let Some(bytes) = output.as_ref().map(String::len)
            && bytes as u64 > max
        {
            let text = format!("its result has {bytes} bytes, and `jobs.max_result` is {max}");
            return Err(JobError::permanent(text));
        }
        let session = Worker::session(cx).await?;
        if !store::done(&session, lease, output, self.core.now()).await? {
            return Ok(false);
        }
        cx.commit().await.map_err(refused)?;
        Ok(true)
    }

    /// Completes when a job that was asked to end has had its time.
    async fn out_of_time(&self, running: &RunningJob) {
        running.token.cancelled().await;
        let settings = &self.core.settings;
        if running.lost.load(Ordering::SeqCst) {
            return;
        }
        let grace = match running.cancelled.load(Ordering::SeqCst) {
            true => settings.cancel_grace,
            false => settings.drain,
        };
        tokio::time::sleep(grace).await;
    }

    /// Returns why a job ended early.
    fn stopped(&self, running: &RunningJob) -> Ended {
        if running.lost.load(Ordering::SeqCst) {
            Ended::Lost
        } else if self.core.draining.is_cancelled() && !running.cancelled.load(Ordering::SeqCst) {
            Ended::Other(Outcome::HandedBack)
        } else {
            Ended::Other(Outcome::Cancelled)
        }
    }

    /// Stores the outcome. Returns its name for metrics and logs.
    async fn settle(
        &self,
        job: &Claimed,
        lease: &Lease,
        ended: Ended,
        running: &RunningJob,
    ) -> &'static str {
        let outcome = match ended {
            Ended::Done => return "done",
            Ended::Lost => return "lost",
            Ended::Other(outcome) => outcome,
        };
        let word = match &outcome {
            Outcome::Retry(pause, error) => {
                tracing::warn!(target: "jobs", id = %job.id, job = job.name, error, ?pause, "a job failed; it is tried again");
                "retry"
            }
            Outcome::Failed(error) => {
                tracing::error!(target: "jobs", id = %job.id, job = job.name, error, "a job failed for good");
                "failed"
            }
            Outcome::Cancelled => "cancelled",
            Outcome::HandedBack => "handed_back",
        };
        loop {
            match store::settle(&self.core.database, lease, &outcome, self.core.now()).await {
                Ok(true) => return word,
                // It was committed after all, or another process has it.
                Ok(false) => return "lost",
                Err(error) => {
                    let error = chain(error.error());
                    tracing::warn!(target: "jobs", error, "the outcome of a job cannot be stored yet");
                }
            }
            // At a stop, the row of this process goes, and others run the job again.
            if self.core.draining.is_cancelled() || running.lost.load(Ordering::SeqCst) {
                return "lost";
            }
            tokio::time::sleep(SETTLE_PAUSE).await;
        }
    }
}

/// Reports the end of an attempt.
fn observe_end(observation: &dyn Observation, job: &Claimed, outcome: &'static str) {
    let id = job.id.to_string();
    let is_failure = matches!(outcome, "retry" | "failed");
    observation.ended(&ObservedEnd {
        error: is_failure.then_some(outcome),
        attributes: &[
            ("messaging.system", StepValue::Text("doyen.jobs")),
            ("messaging.operation.name", StepValue::Text("process")),
            ("messaging.operation.type", StepValue::Text("process")),
            ("messaging.destination.name", StepValue::Text(&job.queue)),
            ("messaging.message.id", StepValue::Text(&id)),
            ("doyen.job.name", StepValue::Text(&job.name)),
            ("doyen.job.attempt", StepValue::Integer(job.attempt.into())),
            ("doyen.job.outcome", StepValue::Text(outcome)),
        ],
    });
}
