//! The port `JobQueue` on the Session of a request or job.

use std::sync::Arc;

use doyen_core::inject::BoxFuture;
use doyen_core::job::JobQueue;
use doyen_core::{Access, Inject, JobId, JobInfo, NewJob, TraceContext, Unexpected};
use doyen_data::Session;

use crate::JobsCore;
use crate::store;

/// Enqueues in the unit of work that injects it.
#[derive(Clone, Inject)]
pub struct SqlJobs {
    session: Session,
    core: Arc<JobsCore>,
    trace: TraceContext,
}

impl std::fmt::Debug for SqlJobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlJobs").finish_non_exhaustive()
    }
}

impl SqlJobs {
    async fn push_on(&self, session: &Session, job: &NewJob) -> Result<JobId, Unexpected> {
        self.core.check(job)?;
        let trace = Some(self.trace.to_string());
        let core = &self.core;
        let id = store::enqueue(session, job, core.now(), trace, core.limits()).await?;
        core.dispatch.announce(session);
        Ok(id)
    }
}

impl JobQueue for SqlJobs {
    fn push(&self, job: NewJob) -> BoxFuture<'_, Result<JobId, Unexpected>> {
        Box::pin(async move { self.push_on(&self.session, &job).await })
    }

    fn push_now(&self, job: NewJob) -> BoxFuture<'_, Result<JobId, Unexpected>> {
        Box::pin(async move {
            let session = self.core.database.session(Access::Write);
            let id = self.push_on(&session, &job).await?;
            session.commit().await?;
            Ok(id)
        })
    }

    fn find(&self, id: JobId) -> BoxFuture<'_, Result<Option<JobInfo>, Unexpected>> {
        Box::pin(async move { store::find(&self.session, id).await })
    }

    fn cancel(&self, id: JobId) -> BoxFuture<'_, Result<bool, Unexpected>> {
        Box::pin(async move { store::cancel(&self.session, id, self.core.now()).await })
    }
}
