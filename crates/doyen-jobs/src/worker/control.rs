//! What a running job may ask of its worker.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use doyen_core::inject::{BoxFuture, Container, RequestFacts};
use doyen_core::job::{JobControl, StepWork};
use doyen_core::{Access, JobError, Progress, Unexpected};
use doyen_data::Database;

use super::Worker;
use super::outcome::refused;
use crate::core::RunningJob;
use crate::store::{self, Lease};

pub(super) struct Control {
    pub(super) container: Container,
    pub(super) database: Database,
    pub(super) facts: RequestFacts,
    pub(super) lease: Lease,
    pub(super) job: Arc<RunningJob>,
}

impl Control {
    async fn run_step(&self, progress: Progress, work: StepWork<'_>) -> Result<(), JobError> {
        if self.job.token.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let cx = self.container.context_of(self.facts.clone());
        let done = async {
            work(cx.clone()).await?;
            let session = Worker::session(&cx).await?;
            if !store::progress(&session, &self.lease, progress).await? {
                return Err(self.lost());
            }
            cx.commit().await.map_err(refused)?;
            Ok(())
        };
        let done = done.await;
        if done.is_err() {
            cx.rollback().await;
        }
        cx.close().await;
        done
    }

    /// Another process may run the job: everything that follows is rolled back.
    fn lost(&self) -> JobError {
        self.job.lost.store(true, Ordering::SeqCst);
        self.job.token.cancel();
        JobError::Cancelled
    }
}

impl JobControl for Control {
    fn step<'a>(
        &'a self,
        progress: Progress,
        work: StepWork<'a>,
    ) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(self.run_step(progress, work))
    }

    fn report(&self, progress: Progress) -> BoxFuture<'_, Result<(), Unexpected>> {
        Box::pin(async move {
            let session = self.database.session(Access::Write);
            if !store::progress(&session, &self.lease, progress).await? {
                self.lost();
            }
            session.commit().await
        })
    }

    fn cancelled(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.job.token.cancelled())
    }

    fn is_cancelled(&self) -> bool {
        self.job.token.is_cancelled()
    }
}
