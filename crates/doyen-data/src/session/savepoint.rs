//! A part of a unit of work that can be undone alone.

use std::sync::atomic::Ordering;

use doyen_core::Access;
use sea_orm::DbErr;

use super::{Session, State, Work};

/// An open savepoint, as SeaORM's `begin()` gives it. Dropped before its end it is rolled back. Prefer [`Session::savepoint`].
#[derive(Debug)]
pub struct Savepoint {
    session: Session,
    depth: u32,
    open: bool,
}

impl Session {
    /// Runs work that can be undone alone: an `Err` rolls back what it wrote and nothing else.
    ///
    /// ```
    /// # use doyen_data::{Session, Violation as _};
    /// # use doyen_data::sea_orm::DbErr;
    /// # async fn example(session: &Session) -> Result<(), DbErr> {
    /// let taken = session
    ///     .savepoint(async |s| s.execute_sql("INSERT INTO tags (name) VALUES ($1)", ["new".into()]).await)
    ///     .await;
    /// match taken {
    ///     Err(error) if error.is_unique("tags.name") => { /* it was there already: go on */ }
    ///     other => { other?; }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What the work gives, or the database's refusal of the savepoint itself.
    pub async fn savepoint<T, E, F>(&self, work: impl FnOnce(Session) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<DbErr>,
    {
        let savepoint = self.enter().await?;
        match work(self.clone()).await {
            Ok(value) => {
                savepoint.keep().await?;
                Ok(value)
            }
            Err(error) => {
                savepoint.undo().await?;
                Err(error)
            }
        }
    }

    pub(super) async fn enter(&self) -> Result<Savepoint, DbErr> {
        if self.inner.access == Access::Read {
            return Err(DbErr::Custom(
                "this session only reads: it has no transaction to put a savepoint into".to_owned(),
            ));
        }
        let mut state = self.inner.state.lock().await;
        let work = self.begun(&mut state).await?;
        work.usable()?;
        work.lease
            .plain(&format!("SAVEPOINT doyen_{}", work.depth + 1))
            .await?;
        work.depth += 1;
        Ok(Savepoint {
            session: self.clone(),
            depth: work.depth,
            open: true,
        })
    }

    /// Goes back to the savepoint that was dropped before its end, if there is one.
    pub(super) async fn settle(&self, work: &mut Work) -> Result<(), DbErr> {
        let depth = self.inner.undo.swap(u32::MAX, Ordering::Relaxed);
        if depth == u32::MAX {
            Ok(())
        } else {
            work.back_to(depth).await
        }
    }
}

impl Work {
    /// Undoes the savepoint of this depth and those inside it.
    async fn back_to(&mut self, depth: u32) -> Result<(), DbErr> {
        if depth == 0 || depth > self.depth || self.lease.in_flight {
            return Ok(());
        }
        self.lease
            .plain(&format!("ROLLBACK TO SAVEPOINT doyen_{depth}"))
            .await?;
        self.lease
            .plain(&format!("RELEASE SAVEPOINT doyen_{depth}"))
            .await?;
        self.depth = depth - 1;
        if self.failed.as_ref().is_some_and(|(at, _)| *at >= depth) {
            self.failed = None;
        }
        Ok(())
    }
}

impl Savepoint {
    /// The session it is a part of.
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn enter(&self) -> Result<Savepoint, DbErr> {
        self.session.enter().await
    }

    /// Keeps what was done since, as part of the whole.
    pub(super) async fn keep(mut self) -> Result<(), DbErr> {
        let session = self.session.clone();
        let mut state = session.inner.state.lock().await;
        let State::Open(work) = &mut *state else {
            return Ok(());
        };
        session.settle(work).await?;
        // A failure inside that nobody undid goes on to poison the whole, as it does on PostgreSQL.
        work.usable()?;
        work.lease
            .plain(&format!("RELEASE SAVEPOINT doyen_{}", self.depth))
            .await?;
        work.depth = self.depth - 1;
        self.open = false;
        Ok(())
    }

    /// Undoes what was done since.
    pub(super) async fn undo(mut self) -> Result<(), DbErr> {
        let session = self.session.clone();
        let mut state = session.inner.state.lock().await;
        let State::Open(work) = &mut *state else {
            return Ok(());
        };
        session.settle(work).await?;
        work.back_to(self.depth).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        if self.open {
            self.session
                .inner
                .undo
                .fetch_min(self.depth, Ordering::Relaxed);
        }
    }
}
