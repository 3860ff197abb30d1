//! Typed reads of SQLite on their own connections, with rusqlite.
//!
//! sqlx runs each connection on its own thread, and every statement and row crosses to it. A lookup
//! by key takes 2.6 µs in SQLite and 13 µs with the crossing. Therefore a read runs *inline* on the
//! thread of the async runtime, and only long reads move to a thread.
//!
//! The runtime stays responsive:
//!
//! - An inline run has a budget of virtual machine steps, 50 to 125 µs of work. If it is used up,
//!   SQLite is interrupted and the read runs again on a thread. The text is remembered and runs on
//!   a thread at once the next time ([`slow_statements`]).
//! - A single step may take long, such as `count(*)` of a table or a row of many megabytes. The
//!   clock catches this: a text that was slow twice moves to a thread, too.
//! - An inline run never waits for a lock.
//! - A task that only reads yields to others after about a millisecond.
//!
//! Disk reads are not bounded: pages that neither SQLite nor the operating system has cached are
//! read on the thread of the runtime. This affects databases much larger than the memory on slow
//! disks. The clock then moves the affected texts to a thread.
//!
//! A run on a thread ends when its reader is dropped or its timeout has passed.

mod bind;
mod column_names;
mod connection;
mod error;
mod pool;
mod slow_statements;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{DbErr, Value};

use self::connection::{Budget, RunError};
use self::pool::{Lease, ReadPool};
use self::slow_statements::SlowStatements;
use super::ReadError;
use crate::error::io_error;
use crate::{DatabaseOptions, PoolStatus, Row};

/// An inline run that took longer counts as slow, whatever its steps.
const SLOW_RUN: Duration = Duration::from_millis(1);

/// Time that counts as one of the 128 units of tokio's cooperative budget.
const COOP_STEP: Duration = Duration::from_micros(8);

/// Maximum interval between two attempts to get a lock.
const MAX_LOCK_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Whether every inline run counts as one that took no time.
static IGNORE_TIMES: AtomicBool = AtomicBool::new(false);

/// Makes every inline run count as one that took no time, in the whole process. A program under an
/// instruction counter is many times slower, and would move reads to threads by chance.
pub(crate) fn ignore_times() {
    IGNORE_TIMES.store(true, Ordering::Relaxed);
}

pub(crate) struct SqliteReader {
    pool: Arc<ReadPool>,
    slow: SlowStatements,
    /// Timeout of a read, once it has a connection.
    timeout: Duration,
    /// Maximum wait for a lock of another process.
    busy: Duration,
    /// True if the URL has options that only sqlx supports.
    always_fall_back: bool,
}

impl SqliteReader {
    /// Opens no connection yet: the writer may still have to create the file.
    pub(crate) fn new(file: &Path, options: &DatabaseOptions) -> Self {
        let asked = options.url.split_once('?').map_or("", |(_, asked)| asked);
        Self {
            pool: ReadPool::new(file, options),
            slow: SlowStatements::default(),
            timeout: options.statement_timeout,
            busy: options.busy_timeout,
            always_fall_back: asked
                .split('&')
                .any(|asked| !asked.is_empty() && !asked.starts_with("mode=")),
        }
    }

    pub(crate) async fn all<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, ReadError> {
        self.rows(sql, values, false).await
    }

    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, ReadError> {
        Ok(self.rows(sql, values, true).await?.pop())
    }

    pub(crate) fn size(&self) -> PoolStatus {
        self.pool.size()
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    async fn rows<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
        only_first: bool,
    ) -> Result<Vec<T>, ReadError> {
        if self.always_fall_back {
            return Err(ReadError::Fallback);
        }
        let mut lease = self.pool.lease().await?;
        if self.slow.try_inline(sql) {
            let started = Instant::now();
            let result = lease.run(sql, values, only_first, Budget::Inline);
            let ended = Instant::now();
            let time = if IGNORE_TIMES.load(Ordering::Relaxed) {
                Duration::ZERO
            } else {
                ended.duration_since(started)
            };
            match result {
                Err(RunError::Interrupted) => self.slow.was_long(sql),
                Err(RunError::Busy(_)) => {}
                result => {
                    lease.finished_at(ended);
                    if time > SLOW_RUN {
                        self.slow.was_slow(sql);
                    } else {
                        self.slow.was_quick(sql);
                    }
                    yield_for(time).await;
                    return result.map_err(read_error);
                }
            }
        }
        let on_thread = self.on_thread(lease, sql, values, only_first);
        // The timeout drops the run, which cancels it.
        tokio::time::timeout(self.timeout, on_thread)
            .await
            .unwrap_or_else(|_| Err(timeout_error().into()))
    }

    /// Runs the statement on a thread, and waits while another process holds a lock.
    async fn on_thread<T: Row>(
        &self,
        mut lease: Lease,
        sql: &str,
        values: &[Value],
        only_first: bool,
    ) -> Result<Vec<T>, ReadError> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        let statement: Arc<(String, Vec<Value>)> = Arc::new((sql.to_owned(), values.to_vec()));
        loop {
            let statement = Arc::clone(&statement);
            let mut cancel = lease.cancel();
            let run = tokio::task::spawn_blocking(move || {
                let (sql, values) = &*statement;
                let result = lease.run(sql, values, only_first, Budget::Unlimited);
                (lease, result)
            });
            let done = run.await;
            if let Some(cancel) = &mut cancel {
                cancel.done = true;
            }
            let result;
            (lease, result) = done.map_err(|error| match error.try_into_panic() {
                // A panic while reading a row continues in the caller.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => ReadError::Fallback,
            })?;
            match result {
                Err(RunError::Busy(error)) if started.elapsed() >= self.busy => {
                    return Err(error.into());
                }
                Err(RunError::Busy(_)) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_LOCK_POLL_INTERVAL);
                }
                // Interrupted by a late cancellation of the read before: run again.
                Err(RunError::Interrupted) => {}
                result => return result.map_err(read_error),
            }
        }
    }
}

fn read_error(stop: RunError) -> ReadError {
    match stop {
        RunError::Failed { error, .. } | RunError::Busy(error) => ReadError::Failed(error),
        RunError::Interrupted | RunError::Fallback => ReadError::Fallback,
    }
}

/// The error that the pool returns for a timeout.
fn timeout_error() -> DbErr {
    io_error(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        "the database did not answer in time",
    ))
}

/// Yields after inline reads, which never do so themselves.
async fn yield_for(time: Duration) {
    let turns = time.as_micros() / COOP_STEP.as_micros();
    for _ in 0..=turns.min(128) {
        tokio::task::coop::consume_budget().await;
    }
}
