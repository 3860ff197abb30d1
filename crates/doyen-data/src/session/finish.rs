//! The end of a unit of work.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use doyen_core::inject::{BoxFuture, Statistics, UnitOfWork};
use doyen_core::sync;
use doyen_core::{Refusal, Unexpected};
use futures_util::FutureExt as _;

use super::{Session, State, Work};
use crate::COMMIT_FAILED;
use crate::error::{code, is_dead, sqlx_error};

#[async_trait]
impl UnitOfWork for Session {
    async fn commit(&self) -> Result<(), Refusal> {
        Ok(Session::commit(self).await?)
    }

    async fn rollback(&self) {
        Session::rollback(self).await;
    }

    fn statistics(&self) -> Statistics {
        let (statements, time) = self.totals();
        Statistics { statements, time }
    }
}

impl Session {
    /// Runs this after a successful commit, before the answer leaves: to empty a cache, wake a worker, publish an event.
    ///
    /// It runs in the order given, once; never when the unit of work is rolled back. What it does can not fail the request any more: a panic
    /// is logged. A session that only reads is never committed, so there it does not run.
    pub fn after_commit(&self, work: impl Future<Output = ()> + Send + 'static) {
        sync::lock(&self.inner.after).push(Box::pin(work));
    }

    /// Commits the unit of work and closes the session. The edge does this for a request; call it only for a session you made yourself.
    ///
    /// # Errors
    ///
    /// - `commit_failed` (503): the database refused, nothing was changed;
    /// - `outcome_unknown` (503): the connection was lost during the commit;
    /// - internal (500): a statement had failed before and nobody dealt with it.
    pub async fn commit(&self) -> Result<(), Unexpected> {
        let state = std::mem::replace(&mut *self.inner.state.lock().await, State::Closed);
        match state {
            State::Closed => {
                return Err(Unexpected::new(
                    "the session was committed or rolled back before",
                ));
            }
            State::Fresh => {}
            State::Open(work) => self.commit_work(work).await?,
        }
        let after = std::mem::take(&mut *sync::lock(&self.inner.after));
        if !after.is_empty() {
            // In a task of its own: the change is made, so this must happen even if the client goes away now.
            let _finished = tokio::spawn(run_all(after)).await;
        }
        Ok(())
    }

    async fn commit_work(&self, mut work: Work) -> Result<(), Unexpected> {
        if self.inner.undo.load(Ordering::Relaxed) != u32::MAX {
            self.settle(&mut work)
                .await
                .map_err(|error| Unexpected::known(&COMMIT_FAILED, error))?;
        }
        if let Err(error) = work.usable() {
            end(work).await;
            return Err(Unexpected::new(error));
        }
        let Err(error) = work.lease.plain("COMMIT").await else {
            work.lease.in_transaction = false;
            return Ok(());
        };
        // A server that dies may have committed before, and after an I/O error nobody knows what is on the disk. Everything else that has a
        // code is a refusal: it did not happen.
        let dead = sqlx_error(&error).is_none_or(is_dead);
        let code = code(&error);
        let disk = code.as_deref().is_some_and(|code| {
            code.len() < 5 && code.parse::<u32>().is_ok_and(|code| code & 0xff == 10)
        });
        let known = !dead && !disk && code.is_some();
        if known {
            end(work).await;
            Err(Unexpected::known(&COMMIT_FAILED, error))
        } else {
            Err(Unexpected::outcome_unknown(error))
        }
    }

    /// Undoes the unit of work and closes the session.
    pub async fn rollback(&self) {
        let state = std::mem::replace(&mut *self.inner.state.lock().await, State::Closed);
        sync::lock(&self.inner.after).clear();
        if let State::Open(work) = state {
            end(work).await;
        }
    }
}

/// Rolls back and gives the connection back; when that fails the pool takes care of it.
async fn end(mut work: Work) {
    if !work.lease.in_flight && work.lease.plain("ROLLBACK").await.is_ok() {
        work.lease.in_transaction = false;
    }
}

async fn run_all(after: Vec<BoxFuture<'static, ()>>) {
    for step in after {
        if std::panic::AssertUnwindSafe(step)
            .catch_unwind()
            .await
            .is_err()
        {
            tracing::error!("work after a commit panicked");
        }
    }
}
