//! A pool of read-only connections.
//!
//! A read-only connection in autocommit mode is clean when its statement has ended, so a stack and
//! a semaphore are enough. Waiting is first come, first served.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::{ConnAcquireErr, DbErr, Value};
use tokio::sync::{Semaphore, TryAcquireError};

use super::connection::{Budget, Cancel, Connection, RunError};
use crate::background::{BackgroundTask, reap_idle};
use crate::{DatabaseOptions, PoolStatus, Row};

/// How long closing waits for running reads.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct ReadPool {
    file: PathBuf,
    permits: Semaphore,
    max: u32,
    // Last in, first out: its pages are cached, and the others become idle long enough to be
    // closed.
    idle: Mutex<Vec<Idle>>,
    open: AtomicU32,
    closed: AtomicBool,
    acquire: Duration,
    lifetime: Duration,
    rest: Duration,
    keep: usize,
    reaper: BackgroundTask,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl ReadPool {
    pub(super) fn new(file: &Path, options: &DatabaseOptions) -> Arc<Self> {
        let max = options.max_connections.max(1);
        let pool = Arc::new(Self {
            file: file.to_owned(),
            permits: Semaphore::new(max as usize),
            max,
            idle: Mutex::default(),
            open: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            acquire: options.acquire_timeout,
            lifetime: options.max_lifetime,
            rest: options.idle_timeout,
            keep: options.min_connections as usize,
            reaper: BackgroundTask::default(),
        });
        pool.start_reaper();
        pool
    }

    /// Returns an idle connection, else a new one, else the next that is returned.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, DbErr> {
        let permit = self.permit().await?;
        let free = self.idle().pop();
        match free {
            Some(Idle { connection, .. }) => Ok(permit.with(connection)),
            None => permit.open().await,
        }
    }

    async fn permit(self: &Arc<Self>) -> Result<Permit, DbErr> {
        // The common case needs no timer.
        let acquired = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {
                match tokio::time::timeout(self.acquire, self.permits.acquire()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(closed()),
                    Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                }
            }
        };
        acquired.forget();
        let permit = Permit(Arc::clone(self));
        if self.is_closed() {
            return Err(closed());
        }
        Ok(permit)
    }

    fn release(&self, connection: Connection, now: Instant) {
        if !self.is_closed()
            && now.duration_since(connection.opened_at) < self.lifetime
            && connection.is_clean()
        {
            self.idle().push(Idle {
                connection,
                since: now,
            });
        } else {
            self.discard(connection);
        }
    }

    fn discard(&self, connection: Connection) {
        drop(connection);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn size(&self) -> PoolStatus {
        PoolStatus {
            open: self.open.load(Ordering::Relaxed),
            idle: u32::try_from(self.idle().len()).unwrap_or(u32::MAX),
            max: self.max,
        }
    }

    /// Rejects waiting reads and lets running ones finish. The file is closed afterwards, unless a
    /// read takes longer than [`CLOSE_TIMEOUT`].
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.permits.acquire_many(self.max);
        let _late = tokio::time::timeout(CLOSE_TIMEOUT, all).await;
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for Idle { connection, .. } in idle {
            self.discard(connection);
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        sync::lock(&self.idle)
    }

    /// Starts the task that closes idle connections.
    fn start_reaper(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        let reap = move || match pool.upgrade() {
            Some(pool) if !pool.is_closed() => {
                pool.reap();
                true
            }
            _ => false,
        };
        self.reaper.start(reap_idle(self.rest, reap));
    }

    fn reap(&self) {
        let old: Vec<_> = {
            let mut idle = self.idle();
            // The oldest are at the bottom.
            let old = idle
                .iter()
                .take_while(|idle| idle.since.elapsed() > self.rest)
                .count();
            let spare = idle.len().saturating_sub(self.keep);
            idle.drain(..old.min(spare)).collect()
        };
        for Idle { connection, .. } in old {
            self.discard(connection);
        }
    }
}

fn closed() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
}

/// The right to use one connection. Dropping it passes it to the next waiter.
struct Permit(Arc<ReadPool>);

impl Permit {
    fn with(self, connection: Connection) -> Lease {
        Lease {
            connection: Some(connection),
            broken: false,
            since: None,
            permit: self,
        }
    }

    /// Opens a connection on a thread, because it reads the file. If the caller is dropped, the
    /// connection is returned to the pool.
    async fn open(self) -> Result<Lease, DbErr> {
        let opened = tokio::task::spawn_blocking(move || {
            let connection = Connection::open(&self.0.file)?;
            self.0.open.fetch_add(1, Ordering::Relaxed);
            Ok(self.with(connection))
        });
        // The task does not panic. It is cancelled only when the runtime shuts down.
        opened.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.permits.add_permits(1);
    }
}

/// A connection in use. It is returned when dropped, also by a panic: its statement has ended then.
pub(super) struct Lease {
    // `Some` until it is dropped.
    connection: Option<Connection>,
    broken: bool,
    since: Option<Instant>,
    // Dropped after the connection was returned.
    permit: Permit,
}

impl Lease {
    /// Runs a statement. After a connection error, the connection is closed instead of returned.
    pub(super) fn run<T: Row>(
        &mut self,
        sql: &str,
        values: &[Value],
        only_first: bool,
        budget: Budget,
    ) -> Result<Vec<T>, RunError> {
        let connection = self.connection.as_ref().ok_or(RunError::Fallback)?;
        let result = connection.run(sql, values, only_first, budget);
        self.broken |= matches!(
            result,
            Err(RunError::Failed {
                is_connection_error: true,
                ..
            })
        );
        result
    }

    /// Sets the time since which it is idle, which saves another look at the clock.
    pub(super) fn finished_at(mut self, since: Instant) {
        self.since = Some(since);
    }

    /// Returns a guard that cancels the next run when it is dropped before that is done.
    pub(super) fn cancel(&self) -> Option<Cancel> {
        self.connection.as_ref().map(Connection::cancel)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let pool = &self.permit.0;
            if self.broken {
                pool.discard(connection);
            } else {
                pool.release(connection, self.since.unwrap_or_else(Instant::now));
            }
        }
    }
}
