//! A connection in use.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};
use tokio::sync::OwnedSemaphorePermit;

use super::{Live, Pool};
use crate::link::{Ask, Link, Reply};

/// A connection in use. Dropped clean it goes back; dropped in the middle of something it is cleaned or replaced first.
pub(crate) struct Lease {
    held: Option<(Live, OwnedSemaphorePermit)>,
    pool: Pool,
    /// A statement was sent and its answer not read to the end.
    pub(crate) in_flight: bool,
    /// A transaction was begun and not ended.
    pub(crate) in_transaction: bool,
    broken: bool,
}

impl Lease {
    pub(super) fn new(live: Live, place: OwnedSemaphorePermit, pool: &Pool) -> Self {
        Self {
            held: Some((live, place)),
            pool: pool.clone(),
            in_flight: false,
            in_transaction: false,
            broken: false,
        }
    }

    /// Asks and waits for the answer, at most as long as a statement may take.
    pub(crate) async fn run(&mut self, ask: &Ask) -> Result<Reply, DbErr> {
        let patience = self.pool.0.limits.patience;
        self.attempt(patience, async |link| link.run(ask).await)
            .await
            .map_err(|error| ask.error(error))
    }

    /// Runs a statement without parameters or rows.
    pub(crate) async fn plain(&mut self, sql: &str) -> Result<(), DbErr> {
        let patience = self.pool.0.limits.patience;
        let result = self
            .attempt(patience, async |link| link.plain(sql).await)
            .await;
        result.map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))))
    }

    /// Begins a unit of work.
    pub(crate) async fn begin(&mut self) -> Result<(), DbErr> {
        self.in_transaction = true;
        let begin = self.pool.0.recipe.begin();
        let result = self.plain(begin).await;
        if result.is_err() {
            // What the server thinks of a failed BEGIN is not worth finding out.
            self.broken = true;
        }
        result
    }

    /// Begins a unit of work together with its first statement. When that fails, whatever was begun is to be rolled back.
    pub(crate) async fn begin_with(&mut self, ask: &Ask) -> Result<Reply, DbErr> {
        self.in_transaction = true;
        let begin = self.pool.0.recipe.begin();
        // The wait for other writers, and the statement.
        let patience = self.pool.0.limits.patience * 2;
        self.attempt(patience, async |link| link.begin_with(begin, ask).await)
            .await
            .map_err(|error| ask.error(error))
    }

    async fn attempt<T>(
        &mut self,
        patience: Duration,
        ask: impl AsyncFnOnce(&mut Link) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Some((live, _)) = &mut self.held else {
            return Err(sqlx::Error::PoolClosed);
        };
        self.in_flight = true;
        let Ok(result) = tokio::time::timeout(patience, ask(&mut live.link)).await else {
            let error = std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "the database did not answer in time",
            );
            return Err(sqlx::Error::Io(error));
        };
        self.in_flight = false;
        if let Err(error) = &result
            && crate::error::is_dead(error)
        {
            self.broken = true;
            self.pool.condemn(live.generation);
        }
        result
    }

    /// Whether the connection still works, after a rest.
    pub(super) async fn answers(&mut self, deadline: tokio::time::Instant) -> bool {
        let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
        let answer = self.attempt(patience, async |link| link.ping().await).await;
        if let (Err(_), Some((live, _))) = (&answer, &self.held) {
            self.pool.condemn(live.generation);
        }
        answer.is_ok()
    }

    /// Closes the connection and keeps its place.
    pub(super) fn give_up(mut self) -> Option<OwnedSemaphorePermit> {
        let (live, place) = self.held.take()?;
        self.pool.discard(live);
        Some(place)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((live, place)) = self.held.take() else {
            return;
        };
        if self.broken {
            self.pool.discard(live);
        } else if !self.in_flight && !self.in_transaction {
            self.pool.release(live);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (pool, in_flight) = (self.pool.clone(), self.in_flight);
            drop(runtime.spawn(async move {
                let Live {
                    link,
                    born,
                    generation,
                } = live;
                match link.reclaim(in_flight, &pool.0.recipe).await {
                    Some(link) => pool.release(Live {
                        link,
                        born,
                        generation,
                    }),
                    None => drop(pool.0.open.fetch_sub(1, Ordering::Relaxed)),
                }
                // Only now: whoever comes next must not meet the locks of the one before.
                drop(place);
            }));
        } else {
            self.pool.0.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
