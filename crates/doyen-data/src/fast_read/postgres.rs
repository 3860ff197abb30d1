//! Typed reads of PostgreSQL: a few connections that all requests share. Statements are sent on
//! them one after another without waiting for the responses (pipelining).
//!
//! A pipelined read saves a permit of the pool, and a flush and a wake-up for each statement. Its
//! risk is that one slow statement delays all statements behind it. Therefore:
//!
//! - A read uses a connection whose oldest pending statement was sent a moment ago. If all have
//!   older ones, another connection is opened, up to a maximum.
//! - A connection whose responses have stopped gets no more reads. Reads that wait behind another
//!   statement fall back to the pool.
//! - A statement whose reader was dropped has a short time to end. Then it is cancelled, and its
//!   connection is not used again.
//!
//! A read never waits for a connection to open and never fails because of a pipelined connection:
//! it falls back to the pool. Reads are safe to repeat.
//!
//! Not supported: session state on these connections, and client certificates.

mod connector;
mod pipeline;
mod tls;
mod values;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync;

use sea_orm::Value;
use tokio::sync::Semaphore;
use tokio_postgres::error::SqlState;

use self::pipeline::{PipelineError, PipelinedConnection, Rows};
use super::ReadError;
use crate::background::{BackgroundTask, reap_idle};
use crate::error::{database_error, io_error, is_lost_code};
use crate::row::Cells;
use crate::{DatabaseOptions, PoolStatus, Row};

pub(crate) use self::connector::PipelineConnector;

/// Maximum number of connections; more would be a pool.
const MAX_CONNECTIONS: u32 = 4;

/// Age of the oldest pending statement from which a connection counts as busy.
const BUSY_AFTER: Duration = Duration::from_millis(2);

/// A connection that was idle for longer is pinged before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);

/// Pause after a failed attempt to connect: the first one, and the maximum.
const RECONNECT_BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

pub(crate) struct PostgresReader(Arc<Shared>);

struct Shared {
    connector: PipelineConnector,
    max: u32,
    /// Maximum wait for a response. The statement timeout of the server is shorter.
    timeout: Duration,
    lifetime: Duration,
    idle: Duration,
    pipelines: Mutex<Pipelines>,
    /// One permit for each connection, released when the connection has closed.
    permits: Arc<Semaphore>,
    opening: AtomicBool,
    reaper_running: AtomicBool,
    reaper: BackgroundTask,
    closed: AtomicBool,
}

#[derive(Default)]
struct Pipelines {
    open: Vec<Arc<PipelinedConnection>>,
    /// Time of the next attempt to connect, and the pause before it.
    retry_at: Option<(Instant, Duration)>,
}

impl PostgresReader {
    /// Opens no connection yet.
    pub(crate) fn new(
        connector: PipelineConnector,
        options: &DatabaseOptions,
        timeout: Duration,
    ) -> Self {
        let max = options.read_connections.min(MAX_CONNECTIONS);
        Self(Arc::new(Shared {
            connector,
            max,
            timeout,
            lifetime: options.max_lifetime,
            idle: options.idle_timeout,
            pipelines: Mutex::default(),
            permits: Arc::new(Semaphore::new(max as usize)),
            opening: AtomicBool::new(false),
            reaper_running: AtomicBool::new(false),
            reaper: BackgroundTask::default(),
            closed: AtomicBool::new(false),
        }))
    }

    pub(crate) async fn all<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, ReadError> {
        let rows = self.0.read(sql, values, false).await?;
        rows.iter()
            .map(|row| T::read(&mut Cells::postgres(row)).map_err(ReadError::Failed))
            .collect()
    }

    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, ReadError> {
        let rows = self.0.read(sql, values, true).await?;
        rows.first()
            .map(|row| T::read(&mut Cells::postgres(row)).map_err(ReadError::Failed))
            .transpose()
    }

    pub(crate) fn size(&self) -> PoolStatus {
        let free = u32::try_from(self.0.permits.available_permits()).unwrap_or(u32::MAX);
        let pipelines = self.0.pipelines();
        let idle = pipelines
            .open
            .iter()
            .filter(|connection| connection.is_idle())
            .count();
        PoolStatus {
            open: self.0.max.saturating_sub(free),
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            max: self.0.max,
        }
    }

    /// Accepts no more reads. Pending reads may finish.
    pub(crate) async fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.pipelines().open.clear();
        // It would sleep for up to a minute before it notices.
        self.0.reaper.stop();
        let all = self.0.permits.acquire_many(self.0.max);
        let _ended = tokio::time::timeout(pipeline::CLEANUP_TIMEOUT, all).await;
    }
}

impl Shared {
    fn pipelines(&self) -> std::sync::MutexGuard<'_, Pipelines> {
        sync::lock(&self.pipelines)
    }

    async fn read(
        self: &Arc<Self>,
        sql: &str,
        values: &[Value],
        first: bool,
    ) -> Result<Rows, ReadError> {
        let Some(connection) = self.choose() else {
            return Err(ReadError::Fallback);
        };
        if connection.is_idle_for(PING_AFTER_IDLE) && !connection.responds().await {
            connection.retire();
            return Err(ReadError::Fallback);
        }
        let result = match connection.read(sql, values, first, self.timeout).await {
            // The columns of the table have changed since the statement was prepared.
            Err(PipelineError::Failed(error))
                if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) =>
            {
                connection.forget(sql);
                connection.read(sql, values, first, self.timeout).await
            }
            result => result,
        };
        result.map_err(|missed| match missed {
            PipelineError::Fallback => ReadError::Fallback,
            PipelineError::Timeout => {
                connection.abort();
                ReadError::Failed(io_error(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    "the database did not answer in time",
                )))
            }
            PipelineError::Failed(error) => match error.as_db_error() {
                Some(error) if is_lost_code(error.code().code(), error.message()) => {
                    connection.retire();
                    ReadError::Fallback
                }
                Some(error)
                    if *error.code() == SqlState::QUERY_CANCELED && connection.was_cancelled() =>
                {
                    ReadError::Fallback
                }
                Some(error) => {
                    ReadError::Failed(database_error(error.message(), error.code().code()))
                }
                // The connection is lost, or the values do not fit the statement: the pool reports
                // it.
                None => {
                    if connection.is_closed() {
                        connection.retire();
                    }
                    ReadError::Fallback
                }
            },
        })
    }

    /// Returns the connection for a read, if one is fit. Opens another one if all are busy.
    fn choose(self: &Arc<Self>) -> Option<Arc<PipelinedConnection>> {
        let now = Instant::now();
        let mut pipelines = self.pipelines();
        pipelines.open.retain(|connection| {
            connection.is_usable() && now.duration_since(connection.opened_at) < self.lifetime
        });
        let mut best: Option<(usize, &Arc<PipelinedConnection>)> = None;
        for connection in &pipelines.open {
            let queue_state = connection.queue_state(now);
            if queue_state.stalled {
                continue;
            }
            if queue_state.oldest < BUSY_AFTER {
                return Some(Arc::clone(connection));
            }
            if best.is_none_or(|(depth, _)| queue_state.depth < depth) {
                best = Some((queue_state.depth, connection));
            }
        }
        let best = best.map(|(_, connection)| Arc::clone(connection));
        let paused = pipelines
            .retry_at
            .is_some_and(|(retry_at, _)| now < retry_at);
        drop(pipelines);
        if !paused {
            self.open_another();
        }
        best
    }

    /// Opens a connection in a task, so that no read waits for it.
    fn open_another(self: &Arc<Self>) {
        if self.closed.load(Ordering::Relaxed) || self.opening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (Ok(permit), Ok(runtime)) = (
            Arc::clone(&self.permits).try_acquire_owned(),
            tokio::runtime::Handle::try_current(),
        ) else {
            self.opening.store(false, Ordering::Release);
            return;
        };
        let shared = Arc::clone(self);
        drop(runtime.spawn(async move {
            let opened = shared.connector.open(permit).await;
            {
                let mut pipelines = shared.pipelines();
                match opened {
                    Ok(_) if shared.closed.load(Ordering::Relaxed) => {}
                    Ok(connection) => {
                        pipelines.retry_at = None;
                        pipelines.open.push(connection);
                        shared.start_reaper();
                    }
                    Err(error) => {
                        let pause = pipelines
                            .retry_at
                            .map_or(RECONNECT_BACKOFF.0, |(_, pause)| (pause * 2).min(RECONNECT_BACKOFF.1));
                        pipelines.retry_at = Some((Instant::now() + pause, pause));
                        tracing::warn!(%error, "no connection of its own for typed reads: they run over the pool");
                    }
                }
            }
            shared.opening.store(false, Ordering::Release);
        }));
    }

    /// Starts the task that closes idle connections. It ends with the last connection.
    fn start_reaper(self: &Arc<Self>) {
        if self.reaper_running.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::downgrade(self);
        let reap = move || {
            let Some(shared) = shared.upgrade() else {
                return false;
            };
            let mut pipelines = shared.pipelines();
            pipelines.open.retain(|connection| {
                connection.is_usable() && !connection.is_idle_for(shared.idle)
            });
            if pipelines.open.is_empty() {
                // Under the lock: the next connection starts the next task.
                shared.reaper_running.store(false, Ordering::Release);
            }
            !pipelines.open.is_empty()
        };
        self.reaper.start(reap_idle(self.idle, reap));
    }
}
