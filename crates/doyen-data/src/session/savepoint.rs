//! Savepoints: parts of a unit of work that can be rolled back alone.

use std::sync::atomic::Ordering;

use doyen_core::Access;
use sea_orm::DbErr;

use super::{Session, State, Work};

/// An open savepoint, as returned by SeaORM's `begin()`. It is rolled back if it is dropped. Prefer
/// [`Session::savepoint`].
#[derive(Debug)]
pub struct Savepoint {
    session: Session,
    depth: u32,
    open: bool,
}

impl Session {
    /// Runs work in a savepoint: an `Err` rolls back only what the work wrote.
    ///
    /// ```
    /// # use doyen_data::{Session, Violation as _};
    /// # use doyen_data::sea_orm::DbErr;
    /// # async fn example(session: &Session) -> Result<(), DbErr> {
    /// let sql = "INSERT INTO tags (name) VALUES ($1)";
    /// let taken = session
    ///     .savepoint(async |s| s.execute_sql(sql, ["new".into()]).await)
    ///     .await;
    /// match taken {
    ///     Err(error) if error.is_unique("tags.name") => { /* it existed already: continue */ }
    ///     other => { other?; }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error of the work, or an error of the savepoint itself.
    pub async fn savepoint<T, E, F>(&self, work: impl FnOnce(Session) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<DbErr>,
    {
        let savepoint = self.enter().await?;
        match work(self.clone()).await {
            Ok(value) => {
                savepoint.release().await?;
                Ok(value)
            }
            Err(error) => {
                savepoint.roll_back().await?;
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
        let work = self.open_work(&mut state).await?;
        work.check_usable()?;
        work.lease
            .run_sql(&format!("SAVEPOINT doyen_{}", work.depth + 1))
            .await?;
        work.depth += 1;
        Ok(Savepoint {
            session: self.clone(),
            depth: work.depth,
            open: true,
        })
    }

    /// Rolls back to a savepoint that was dropped, if there is one.
    pub(super) async fn apply_pending_rollback(&self, work: &mut Work) -> Result<(), DbErr> {
        let depth = self.inner.rollback_to.swap(u32::MAX, Ordering::Relaxed);
        if depth == u32::MAX {
            Ok(())
        } else {
            work.roll_back_to(depth).await
        }
    }
}

impl Work {
    /// Rolls back the savepoint of this depth and those inside it.
    async fn roll_back_to(&mut self, depth: u32) -> Result<(), DbErr> {
        if depth == 0 || depth > self.depth || self.lease.in_flight {
            return Ok(());
        }
        self.lease
            .run_sql(&format!("ROLLBACK TO SAVEPOINT doyen_{depth}"))
            .await?;
        self.lease
            .run_sql(&format!("RELEASE SAVEPOINT doyen_{depth}"))
            .await?;
        self.depth = depth - 1;
        if self.failed.as_ref().is_some_and(|(at, _)| *at >= depth) {
            self.failed = None;
        }
        Ok(())
    }
}

impl Savepoint {
    /// Returns the session that it is a part of.
    pub fn session(&self) -> &Session {
        &self.session
    }

    pub(super) async fn enter(&self) -> Result<Savepoint, DbErr> {
        self.session.enter().await
    }

    /// Releases the savepoint: its changes become part of the unit of work.
    pub(super) async fn release(mut self) -> Result<(), DbErr> {
        let session = self.session.clone();
        let mut state = session.inner.state.lock().await;
        let State::Open(work) = &mut *state else {
            return Ok(());
        };
        session.apply_pending_rollback(work).await?;
        // An unhandled failure inside also fails the unit of work, as on PostgreSQL.
        work.check_usable()?;
        work.lease
            .run_sql(&format!("RELEASE SAVEPOINT doyen_{}", self.depth))
            .await?;
        work.depth = self.depth - 1;
        self.open = false;
        Ok(())
    }

    /// Rolls back to the savepoint.
    pub(super) async fn roll_back(mut self) -> Result<(), DbErr> {
        let session = self.session.clone();
        let mut state = session.inner.state.lock().await;
        let State::Open(work) = &mut *state else {
            return Ok(());
        };
        session.apply_pending_rollback(work).await?;
        work.roll_back_to(self.depth).await?;
        self.open = false;
        Ok(())
    }
}

impl Drop for Savepoint {
    fn drop(&mut self) {
        if self.open {
            self.session
                .inner
                .rollback_to
                .fetch_min(self.depth, Ordering::Relaxed);
        }
    }
}
