//! A pool of connections.
//!
//! Unlike sqlx's pool, this one sends no ping for each returned connection, and it ends statements
//! whose request was dropped. A clean connection is returned as it is, one that was idle for long
//! is pinged before use, and an abandoned one is reset or replaced before its permit is free.
//! Waiting is first come, first served.

mod lease;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use lease::Lease;

use crate::background::{BackgroundTask, reap_idle};
use crate::connection::{ConnectOptions, Connection};

/// The options of a pool.
#[derive(Clone, Copy)]
pub(crate) struct PoolOptions {
    pub(crate) max_connections: u32,
    pub(crate) min_connections: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) max_lifetime: Duration,
    pub(crate) idle_timeout: Duration,
    /// Idle time after which a connection is pinged before use.
    pub(crate) ping_after_idle: Duration,
    /// Maximum wait for the response to a statement.
    pub(crate) response_timeout: Duration,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    connect_options: ConnectOptions,
    options: PoolOptions,
    permits: Arc<Semaphore>,
    // Last in, first out: the others become idle long enough to be closed.
    idle: Mutex<Vec<Idle>>,
    open: AtomicU32,
    // Connections of an older generation are not used again: one loss usually means all are lost.
    generation: AtomicU64,
    closed: AtomicBool,
    reaper: BackgroundTask,
}

struct OpenConnection {
    connection: Connection,
    opened_at: Instant,
    generation: u64,
}

struct Idle {
    open: OpenConnection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(connect_options: ConnectOptions, options: PoolOptions) -> Self {
        let pool = Self(Arc::new(Shared {
            connect_options,
            options,
            permits: Arc::new(Semaphore::new(options.max_connections.max(1) as usize)),
            idle: Mutex::default(),
            open: AtomicU32::new(0),
            generation: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            reaper: BackgroundTask::default(),
        }));
        pool.start_reaper();
        pool
    }

    pub(crate) fn connect_options(&self) -> &ConnectOptions {
        &self.0.connect_options
    }

    /// Returns the number of open and of idle connections.
    pub(crate) fn size(&self) -> (u32, u32) {
        let idle = u32::try_from(self.idle().len()).unwrap_or(u32::MAX);
        (self.0.open.load(Ordering::Relaxed), idle)
    }

    /// Returns an idle connection, else a new one.
    pub(crate) async fn acquire(&self) -> Result<Lease, DbErr> {
        self.acquire_within(self.0.options.acquire_timeout).await
    }

    /// Like [`acquire`](Self::acquire) with another timeout: startup may take longer than a request
    /// may wait.
    pub(crate) async fn acquire_within(&self, timeout: Duration) -> Result<Lease, DbErr> {
        let deadline = tokio::time::Instant::now() + timeout;
        let permits = Arc::clone(&self.0.permits);
        // The common case needs no timer.
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(tokio::sync::TryAcquireError::Closed) => {
                return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
            }
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                match tokio::time::timeout_at(deadline, permits.acquire_owned()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => {
                        return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
                    }
                    Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                }
            }
        };
        let mut permit = permit;
        while let Some(Idle { open, since }) = self.pop() {
            let stale = self.is_expired(&open);
            let mut lease = Lease::new(open, permit, self);
            if !stale
                && (since.elapsed() < self.0.options.ping_after_idle
                    || lease.responds(deadline).await)
            {
                return Ok(lease);
            }
            match lease.close_keeping_permit() {
                Some(freed) => permit = freed,
                None => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            }
        }
        self.connect(permit, deadline).await
    }

    async fn connect(
        &self,
        permit: OwnedSemaphorePermit,
        deadline: tokio::time::Instant,
    ) -> Result<Lease, DbErr> {
        let generation = self.0.generation.load(Ordering::Relaxed);
        let mut pause = Duration::from_millis(10);
        loop {
            match tokio::time::timeout_at(deadline, self.0.connect_options.connect()).await {
                Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                Ok(Ok(connection)) => {
                    self.0.open.fetch_add(1, Ordering::Relaxed);
                    return Ok(Lease::new(
                        OpenConnection {
                            connection,
                            opened_at: Instant::now(),
                            generation,
                        },
                        permit,
                        self,
                    ));
                }
                // Retries until the deadline while the server is starting.
                Ok(Err(error))
                    if !is_starting(&error) || tokio::time::Instant::now() + pause >= deadline =>
                {
                    let error = crate::error::with_sql(error, "");
                    return Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))));
                }
                Ok(Err(_)) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Makes all connections of this generation unusable, but not those opened since.
    fn invalidate_generation(&self, generation: u64) {
        let now = &self.0.generation;
        let _newer = now.compare_exchange(
            generation,
            generation + 1,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Closes the pool. Waiting callers get an error; connections in use are closed when returned.
    pub(crate) async fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.permits.close();
        while let Some(idle) = self.pop() {
            self.0.open.fetch_sub(1, Ordering::Relaxed);
            idle.open.connection.close().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        sync::lock(&self.0.idle)
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn is_expired(&self, open: &OpenConnection) -> bool {
        open.generation != self.0.generation.load(Ordering::Relaxed)
            || open.opened_at.elapsed() > self.0.options.max_lifetime
    }

    fn release(&self, open: OpenConnection) {
        if self.is_expired(&open) || self.0.closed.load(Ordering::Relaxed) {
            self.discard(open);
        } else {
            self.idle().push(Idle {
                open,
                since: Instant::now(),
            });
        }
    }

    fn discard(&self, open: OpenConnection) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(open.connection.close())),
            Err(_) => drop(open),
        }
    }

    /// Starts the task that closes idle connections.
    fn start_reaper(&self) {
        let shared = Arc::downgrade(&self.0);
        let reap = move || {
            let Some(shared) = shared.upgrade() else {
                return false;
            };
            Self(shared).reap();
            true
        };
        self.0
            .reaper
            .start(reap_idle(self.0.options.idle_timeout, reap));
    }

    fn reap(&self) {
        let mut old = Vec::new();
        {
            let mut idle = self.idle();
            let keep = self.0.options.min_connections as usize;
            // The oldest are at the bottom.
            while idle.len() > keep
                && idle
                    .first()
                    .is_some_and(|first| first.since.elapsed() > self.0.options.idle_timeout)
            {
                old.push(idle.remove(0));
            }
        }
        for idle in old {
            self.discard(idle.open);
        }
    }
}

/// Returns true if the server may be starting, or if another process creates the SQLite file: the
/// busy timeout does not apply to the change of its journal mode.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            matches!(&*code, "57P03" | "53300") || crate::error::is_busy(&code)
        }),
        _ => false,
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::connection::SqliteOptions;

    fn pool(name: &str, ping_after_idle: Duration) -> (Pool, std::path::PathBuf) {
        let file =
            std::env::temp_dir().join(format!("doyen-pool-{name}-{}.db", std::process::id()));
        let connect_options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true);
        let options = PoolOptions {
            max_connections: 2,
            min_connections: 0,
            acquire_timeout: Duration::from_millis(200),
            max_lifetime: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            ping_after_idle,
            response_timeout: Duration::from_secs(1),
        };
        (
            Pool::new(
                ConnectOptions::Sqlite(SqliteOptions(connect_options)),
                options,
            ),
            file,
        )
    }

    #[tokio::test]
    async fn an_idle_connection_is_reused_after_a_ping_if_it_was_idle_for_long() {
        for ping_after_idle in [Duration::from_secs(30), Duration::ZERO] {
            let (pool, file) = pool("again", ping_after_idle);
            for _ in 0..5 {
                drop(pool.acquire().await.unwrap());
                assert_eq!(pool.size(), (1, 1));
            }
            pool.close().await;
            std::fs::remove_file(file).unwrap();
        }
    }

    #[tokio::test]
    async fn a_lost_connection_invalidates_its_generation_only() {
        let (pool, file) = pool("death", Duration::from_secs(30));
        let (one, two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(one);
        pool.invalidate_generation(0);
        drop(two);
        let young = pool.acquire().await.unwrap();
        pool.invalidate_generation(0);
        drop(young);
        assert_eq!(
            pool.size(),
            (1, 1),
            "the young one is still there, the old ones are not"
        );
        pool.close().await;
        assert!(pool.acquire().await.is_err());
        std::fs::remove_file(file).unwrap();
    }

    #[tokio::test]
    async fn a_cancelled_acquire_releases_its_permit() {
        let (pool, file) = pool("wait", Duration::ZERO);
        let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        assert!(matches!(
            pool.acquire().await,
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
        ));
        drop(held);
        for _ in 0..20 {
            // Dropped at its first await, which is the ping.
            drop(pool.acquire().now_or_never());
        }
        let both = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        assert_eq!(pool.size(), (2, 0));
        drop(both);
        pool.close().await;
        std::fs::remove_file(file).unwrap();
    }
}
