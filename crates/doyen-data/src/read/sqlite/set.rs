//! The connections that read, and who has them.
//!
//! A read-only connection in autocommit is clean as soon as its statement has ended, so this is much less than the pool: a stack and a
//! semaphore. Waiting is first come, first served.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::{ConnAcquireErr, DbErr, Value};
use tokio::sync::{Semaphore, TryAcquireError};

use super::connection::{Budget, Cancel, Connection, Stop};
use crate::{DatabaseOptions, PoolStatus, Row};

/// How long closing waits for reads under way.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Set {
    file: PathBuf,
    places: Semaphore,
    max: u32,
    // The last one in is the first one out: its pages are warm, and what rests, rests long enough to be closed.
    idle: Mutex<Vec<Idle>>,
    open: AtomicU32,
    closed: AtomicBool,
    acquire: Duration,
    lifetime: Duration,
    rest: Duration,
    keep: usize,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Set {
    pub(super) fn new(file: &Path, options: &DatabaseOptions) -> Arc<Self> {
        let max = options.max_connections.max(1);
        let set = Arc::new(Self {
            file: file.to_owned(),
            places: Semaphore::new(max as usize),
            max,
            idle: Mutex::default(),
            open: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            acquire: options.acquire_timeout,
            lifetime: options.max_lifetime,
            rest: options.idle_timeout,
            keep: options.min_connections as usize,
        });
        set.keep_tidy();
        set
    }

    /// A connection: one that is free, else a new one, else the next that comes back.
    pub(super) async fn lease(self: &Arc<Self>) -> Result<Lease, DbErr> {
        let place = self.place().await?;
        let free = self.idle().pop();
        match free {
            Some(Idle { connection, .. }) => Ok(place.with(connection)),
            None => place.open().await,
        }
    }

    async fn place(self: &Arc<Self>) -> Result<Place, DbErr> {
        // The common case takes no timer.
        let permit = match self.places.try_acquire() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(closed()),
            Err(TryAcquireError::NoPermits) => {
                match tokio::time::timeout(self.acquire, self.places.acquire()).await {
                    Ok(Ok(permit)) => permit,
                    Ok(Err(_)) => return Err(closed()),
                    Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                }
            }
        };
        permit.forget();
        let place = Place(Arc::clone(self));
        if self.is_closed() {
            return Err(closed());
        }
        Ok(place)
    }

    fn release(&self, connection: Connection, now: Instant) {
        if !self.is_closed()
            && now.duration_since(connection.born) < self.lifetime
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

    /// Who waits is refused, who reads may finish. The file is free when this is done, unless a read takes longer than [`PATIENCE`].
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let all = self.places.acquire_many(self.max);
        let _late = tokio::time::timeout(PATIENCE, all).await;
        self.places.close();
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

    /// Closes what has rested too long, even when nobody asks for a connection.
    fn keep_tidy(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let set = Arc::downgrade(self);
        let every = (self.rest / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        drop(runtime.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                match set.upgrade() {
                    Some(set) if !set.is_closed() => set.tidy(),
                    _ => return,
                }
            }
        }));
    }

    fn tidy(&self) {
        let old: Vec<_> = {
            let mut idle = self.idle();
            // The oldest lie at the bottom.
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

/// The right to one connection; dropped, the next in line gets it.
struct Place(Arc<Set>);

impl Place {
    fn with(self, connection: Connection) -> Lease {
        Lease {
            connection: Some(connection),
            broken: false,
            since: None,
            place: self,
        }
    }

    /// On a thread, for it reads the file. Whoever gives up the wait leaves the connection to the next.
    async fn open(self) -> Result<Lease, DbErr> {
        let opened = tokio::task::spawn_blocking(move || {
            let connection = Connection::open(&self.0.file)?;
            self.0.open.fetch_add(1, Ordering::Relaxed);
            Ok(self.with(connection))
        });
        // Nothing in there panics; a runtime that shuts down opens nothing.
        opened.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.places.add_permits(1);
    }
}

/// A connection in use. It goes back when dropped, also by a panic: its statement has ended by then.
pub(super) struct Lease {
    // There until it is dropped.
    connection: Option<Connection>,
    broken: bool,
    since: Option<Instant>,
    // Dropped after the connection has gone back.
    place: Place,
}

impl Lease {
    /// After a failure that is not the statement's alone the connection does not go back, but is closed.
    pub(super) fn run<T: Row>(
        &mut self,
        sql: &str,
        values: &[Value],
        only_first: bool,
        budget: Budget,
    ) -> Result<Vec<T>, Stop> {
        let connection = self.connection.as_ref().ok_or(Stop::Elsewhere)?;
        let result = connection.run(sql, values, only_first, budget);
        self.broken |= matches!(result, Err(Stop::Failed { serious: true, .. }));
        result
    }

    /// It rests from this moment on: whoever knows it saves another look at the clock.
    pub(super) fn rests(mut self, since: Instant) {
        self.since = Some(since);
    }

    /// Ends the next run, when it is dropped before that is done.
    pub(super) fn cancel(&self) -> Option<Cancel> {
        self.connection.as_ref().map(Connection::cancel)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let set = &self.place.0;
            if self.broken {
                set.discard(connection);
            } else {
                set.release(connection, self.since.unwrap_or_else(Instant::now));
            }
        }
    }
}
