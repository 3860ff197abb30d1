//! The end of a unit of work.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use doyen_core::cache::CommitHooks;
use doyen_core::inject::{BoxFuture, UnitOfWork, WorkStats};
use doyen_core::problem::OUTCOME_UNKNOWN;
use doyen_core::sync;
use doyen_core::{Problem as _, Refusal, Unexpected};
use futures_util::FutureExt as _;

use super::{CommitHook, Session, State, Work};
use crate::COMMIT_FAILED;
use crate::error::{code, is_dead, sqlite_result, sqlx_error};
use crate::transaction_counts::Ending;

#[async_trait]
impl UnitOfWork for Session {
    async fn commit(&self) -> Result<(), Refusal> {
        Ok(Session::commit(self).await?)
    }

    async fn rollback(&self) {
        Session::rollback(self).await;
    }

    fn statistics(&self) -> WorkStats {
        let (statements, time) = self.totals();
        WorkStats { statements, time }
    }
}

impl Session {
    /// Runs this after a successful commit and before the response is sent: to invalidate a cache,
    /// wake a worker, publish an event.
    ///
    /// Each piece of work runs once, in the order of the calls, and never after a rollback. It
    /// cannot fail the request: a panic is logged. A read-only session is never committed, so it
    /// does not run there.
    pub fn after_commit(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.hook(Box::pin(work), false);
    }

    fn hook(&self, work: BoxFuture<'static, ()>, if_unknown: bool) {
        let hook = CommitHook { work, if_unknown };
        sync::lock(&self.inner.after_commit).push(hook);
    }

    /// Commits the unit of work and closes the session. The edge does this for a request; call it
    /// only for your own sessions.
    ///
    /// # Errors
    ///
    /// - `commit_failed` (503): the database rejected the commit, nothing was changed;
    /// - `outcome_unknown` (503): the connection was lost during the commit;
    /// - internal (500): a statement failed before.
    pub async fn commit(&self) -> Result<(), Unexpected> {
        let state = std::mem::replace(&mut *self.inner.state.lock().await, State::Closed);
        match state {
            State::Closed => {
                return Err(Unexpected::new(
                    "the session was committed or rolled back before",
                ));
            }
            State::Fresh => {}
            State::Open(work) => {
                self.inner.counter.transaction_ended();
                // If this is cancelled, the database may still have committed.
                let unknown = UnknownOutcome(Some(self));
                let result = self.commit_work(work).await;
                let ending = match &result {
                    Ok(()) => Ending::Committed,
                    Err(error) if error.info().code == OUTCOME_UNKNOWN.code => Ending::Unknown,
                    Err(_) => Ending::RolledBack,
                };
                self.inner.database.count_transaction(ending);
                if ending == Ending::Unknown {
                    drop(unknown);
                } else {
                    unknown.settle();
                }
                result?;
            }
        }
        for channel in std::mem::take(&mut *sync::lock(&self.inner.wakes)) {
            self.inner.database.wake(channel);
        }
        let after = std::mem::take(&mut *sync::lock(&self.inner.after_commit));
        if !after.is_empty() {
            // In a task, so that it runs even if the client disconnects now.
            let _finished = tokio::spawn(run_all(after)).await;
        }
        Ok(())
    }

    async fn commit_work(&self, mut work: Work) -> Result<(), Unexpected> {
        if self.inner.rollback_to.load(Ordering::Relaxed) != u32::MAX {
            self.apply_pending_rollback(&mut work)
                .await
                .map_err(|error| Unexpected::known(&COMMIT_FAILED, error))?;
        }
        if let Err(error) = work.check_usable() {
            roll_back(work).await;
            return Err(Unexpected::new(error));
        }
        let Err(error) = work.lease.run_sql("COMMIT").await else {
            work.lease.in_transaction = false;
            return Ok(());
        };
        self.inner.database.observe(&error);
        // After a lost connection or an I/O error the outcome is unknown. Any other error with a
        // code is a rejection.
        let dead = sqlx_error(&error).is_none_or(is_dead);
        let code = code(&error);
        let disk = code.as_deref().and_then(sqlite_result) == Some(10);
        let known = !dead && !disk && code.is_some();
        if known {
            roll_back(work).await;
            Err(Unexpected::known(&COMMIT_FAILED, error))
        } else {
            Err(Unexpected::outcome_unknown(error))
        }
    }

    /// Rolls back the unit of work and closes the session.
    pub async fn rollback(&self) {
        let state = std::mem::replace(&mut *self.inner.state.lock().await, State::Closed);
        sync::lock(&self.inner.after_commit).clear();
        sync::lock(&self.inner.wakes).clear();
        if let State::Open(work) = state {
            self.inner.counter.transaction_ended();
            roll_back(work).await;
            self.inner.database.count_transaction(Ending::RolledBack);
        }
    }
}

impl CommitHooks for Session {
    fn after_possible_commit(&self, work: BoxFuture<'static, ()>) {
        self.hook(work, true);
    }
}

/// Runs the hooks that an unknown outcome requires, when it is dropped.
struct UnknownOutcome<'a>(Option<&'a Session>);

impl UnknownOutcome<'_> {
    fn settle(mut self) {
        self.0 = None;
    }
}

impl Drop for UnknownOutcome<'_> {
    fn drop(&mut self) {
        let Some(session) = self.0.take() else { return };
        let mut hooks = std::mem::take(&mut *sync::lock(&session.inner.after_commit));
        hooks.retain(|hook| hook.if_unknown);
        if !hooks.is_empty()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(run_all(hooks));
        }
    }
}

/// Rolls back and returns the connection. If that fails, the pool resets it.
async fn roll_back(mut work: Work) {
    if !work.lease.in_flight && work.lease.run_sql("ROLLBACK").await.is_ok() {
        work.lease.in_transaction = false;
    }
}

async fn run_all(after: Vec<CommitHook>) {
    for hook in after {
        if std::panic::AssertUnwindSafe(hook.work)
            .catch_unwind()
            .await
            .is_err()
        {
            tracing::error!("work after a commit panicked");
        }
    }
}
