//! A connection in use.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr};
use tokio::sync::OwnedSemaphorePermit;

use super::{OpenConnection, Pool};
use crate::connection::{Connection, Outcome, SqlStatement};

/// A connection in use. When it is dropped, a clean connection is returned to the pool, and any
/// other is reset or replaced first.
pub(crate) struct Lease {
    held: Option<(OpenConnection, OwnedSemaphorePermit)>,
    pool: Pool,
    /// True while a statement has no complete response.
    pub(crate) in_flight: bool,
    /// True while a transaction is open.
    pub(crate) in_transaction: bool,
    broken: bool,
}

impl Lease {
    pub(super) fn new(open: OpenConnection, permit: OwnedSemaphorePermit, pool: &Pool) -> Self {
        Self {
            held: Some((open, permit)),
            pool: pool.clone(),
            in_flight: false,
            in_transaction: false,
            broken: false,
        }
    }

    /// Runs a statement and waits for its result until the timeout. A statement outside of a
    /// transaction can only read.
    pub(crate) async fn run(&mut self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        if self.in_transaction || self.pool.0.connect_options.begin_read_sql().is_none() {
            return self.run_statement(statement).await;
        }
        self.in_transaction = true;
        let pool = self.pool.clone();
        let begin = pool.0.connect_options.begin_read_sql().unwrap_or_default();
        self.run_sql(begin).await?;
        let result = self.run_statement(statement).await;
        // After a failed statement this rolls back.
        if self.run_sql("COMMIT").await.is_ok() {
            self.in_transaction = false;
        }
        result
    }

    async fn run_statement(&mut self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        let timeout = self.pool.0.options.response_timeout;
        self.attempt(timeout, async |connection| connection.run(statement).await)
            .await
            .map_err(|error| statement.error(error))
    }

    /// Runs a statement without parameters or rows.
    pub(crate) async fn run_sql(&mut self, sql: &str) -> Result<(), DbErr> {
        let timeout = self.pool.0.options.response_timeout;
        let result = self
            .attempt(timeout, async |connection| connection.run_sql(sql).await)
            .await;
        result.map_err(|error| {
            let error = crate::error::with_sql(error, sql);
            DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error)))
        })
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self) -> Result<(), DbErr> {
        self.in_transaction = true;
        let pool = self.pool.clone();
        let begin = pool.0.connect_options.begin_sql();
        let result = self.run_sql(begin).await;
        if result.is_err() {
            // The state after a failed BEGIN is unknown.
            self.broken = true;
        }
        result
    }

    /// Begins a transaction together with its first statement. If that fails, the transaction must
    /// be rolled back.
    pub(crate) async fn begin_with(&mut self, statement: &SqlStatement) -> Result<Outcome, DbErr> {
        self.in_transaction = true;
        let pool = self.pool.clone();
        let begin = pool.0.connect_options.begin_sql();
        // Covers the wait for other writers and the statement.
        let timeout = self.pool.0.options.response_timeout * 2;
        self.attempt(timeout, async |connection| {
            connection.begin_with(begin, statement).await
        })
        .await
        .map_err(|error| statement.error(error))
    }

    async fn attempt<T>(
        &mut self,
        timeout: Duration,
        operation: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let Some((open, _)) = &mut self.held else {
            return Err(sqlx::Error::PoolClosed);
        };
        self.in_flight = true;
        let Ok(result) = tokio::time::timeout(timeout, operation(&mut open.connection)).await
        else {
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
            self.pool.invalidate_generation(open.generation);
        }
        result
    }

    /// Pings the connection. Returns false if it is lost.
    pub(super) async fn responds(&mut self, deadline: tokio::time::Instant) -> bool {
        let timeout = deadline.saturating_duration_since(tokio::time::Instant::now());
        let answer = self
            .attempt(timeout, async |connection| connection.ping().await)
            .await;
        if let (Err(_), Some((open, _))) = (&answer, &self.held) {
            self.pool.invalidate_generation(open.generation);
        }
        answer.is_ok()
    }

    /// Closes the connection and returns its permit.
    pub(super) fn close_keeping_permit(mut self) -> Option<OwnedSemaphorePermit> {
        let (open, permit) = self.held.take()?;
        self.pool.discard(open);
        Some(permit)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some((open, permit)) = self.held.take() else {
            return;
        };
        if self.broken {
            self.pool.discard(open);
        } else if !self.in_flight && !self.in_transaction {
            self.pool.release(open);
        } else if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (pool, in_flight) = (self.pool.clone(), self.in_flight);
            drop(runtime.spawn(async move {
                let OpenConnection {
                    connection,
                    opened_at,
                    generation,
                } = open;
                match connection.reclaim(in_flight, &pool.0.connect_options).await {
                    Some(connection) => pool.release(OpenConnection {
                        connection,
                        opened_at,
                        generation,
                    }),
                    None => drop(pool.0.open.fetch_sub(1, Ordering::Relaxed)),
                }
                // Only now, so that the next caller does not meet locks of this connection.
                drop(permit);
            }));
        } else {
            self.pool.0.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
