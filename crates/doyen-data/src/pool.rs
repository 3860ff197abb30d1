//! A pool of connections.
//!
//! Why our own: sqlx's pool sends a ping for every connection that comes back and can not end a statement whose request went away. Here a
//! clean connection goes back without a word, one that rested for more than [`RESTED`] is pinged before use, and an abandoned one is
//! cleaned or replaced before its place in the pool is free again. Waiting is first come, first served.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::link::{Ask, Link, Recipe, Reply};

/// A connection that rested longer is pinged before it is used.
const RESTED: Duration = Duration::from_secs(30);

/// The limits of a pool.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max: u32,
    pub(crate) min: u32,
    pub(crate) acquire: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) idle: Duration,
    /// The longest wait for the answer to a statement.
    pub(crate) patience: Duration,
}

#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    recipe: Recipe,
    limits: Limits,
    places: Arc<Semaphore>,
    // The last one in is the first one out: what rests, rests long enough to be closed.
    idle: Mutex<Vec<Idle>>,
    open: AtomicU32,
    // Connections of an older generation are not used again: one death usually means all are dead.
    generation: AtomicU64,
    closed: AtomicBool,
}

struct Live {
    link: Link,
    born: Instant,
    generation: u64,
}

struct Idle {
    live: Live,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(recipe: Recipe, limits: Limits) -> Self {
        let pool = Self(Arc::new(Shared {
            recipe,
            limits,
            places: Arc::new(Semaphore::new(limits.max.max(1) as usize)),
            idle: Mutex::default(),
            open: AtomicU32::new(0),
            generation: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }));
        pool.keep_tidy();
        pool
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        &self.0.recipe
    }

    /// Connections open, and how many of them rest.
    pub(crate) fn size(&self) -> (u32, u32) {
        let idle = u32::try_from(self.idle().len()).unwrap_or(u32::MAX);
        (self.0.open.load(Ordering::Relaxed), idle)
    }

    /// A connection: one that rests, else a new one.
    pub(crate) async fn acquire(&self) -> Result<Lease, DbErr> {
        self.acquire_within(self.0.limits.acquire).await
    }

    /// With a patience of its own: at start a server may take longer than a request would wait.
    pub(crate) async fn acquire_within(&self, patience: Duration) -> Result<Lease, DbErr> {
        let deadline = tokio::time::Instant::now() + patience;
        let places = Arc::clone(&self.0.places);
        // The common case takes no timer.
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(tokio::sync::TryAcquireError::Closed) => {
                return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
            }
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                match tokio::time::timeout_at(deadline, places.acquire_owned()).await {
                    Ok(Ok(place)) => place,
                    Ok(Err(_)) => {
                        return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
                    }
                    Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                }
            }
        };
        while let Some(Idle { mut live, since }) = self.pop() {
            if self.too_old(&live) {
                self.discard(live);
                continue;
            }
            let fresh = since.elapsed() < RESTED;
            if fresh || answers(&mut live.link, deadline).await {
                return Ok(Lease::new(live, place, self));
            }
            self.discard(live);
            self.condemn();
        }
        self.connect(place, deadline).await
    }

    async fn connect(
        &self,
        place: OwnedSemaphorePermit,
        deadline: tokio::time::Instant,
    ) -> Result<Lease, DbErr> {
        let generation = self.0.generation.load(Ordering::Relaxed);
        let mut pause = Duration::from_millis(10);
        loop {
            match tokio::time::timeout_at(deadline, self.0.recipe.open()).await {
                Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
                Ok(Ok(link)) => {
                    self.0.open.fetch_add(1, Ordering::Relaxed);
                    return Ok(Lease::new(
                        Live {
                            link,
                            born: Instant::now(),
                            generation,
                        },
                        place,
                        self,
                    ));
                }
                // A server that restarts is worth the rest of the wait.
                Ok(Err(error))
                    if !starting(&error) || tokio::time::Instant::now() + pause >= deadline =>
                {
                    return Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))));
                }
                Ok(Err(_)) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Uses none of the connections open now again.
    pub(crate) fn condemn(&self) {
        self.0.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Closes the pool: who waits is refused, who works may finish.
    pub(crate) async fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.places.close();
        while let Some(idle) = self.pop() {
            self.0.open.fetch_sub(1, Ordering::Relaxed);
            idle.live.link.close().await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn too_old(&self, live: &Live) -> bool {
        live.generation != self.0.generation.load(Ordering::Relaxed)
            || live.born.elapsed() > self.0.limits.lifetime
    }

    fn release(&self, live: Live) {
        if self.too_old(&live) || self.0.closed.load(Ordering::Relaxed) {
            self.discard(live);
        } else {
            self.idle().push(Idle {
                live,
                since: Instant::now(),
            });
        }
    }

    fn discard(&self, live: Live) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(live.link.close())),
            Err(_) => drop(live),
        }
    }

    /// Closes what has rested too long, even when nobody asks for a connection.
    fn keep_tidy(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let shared = Arc::downgrade(&self.0);
        let every = (self.0.limits.idle / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        drop(runtime.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                Pool(shared).tidy();
            }
        }));
    }

    fn tidy(&self) {
        let mut old = Vec::new();
        {
            let mut idle = self.idle();
            let keep = self.0.limits.min as usize;
            // The oldest lie at the bottom.
            while idle.len() > keep
                && idle
                    .first()
                    .is_some_and(|first| first.since.elapsed() > self.0.limits.idle)
            {
                old.push(idle.remove(0));
            }
        }
        for idle in old {
            self.discard(idle.live);
        }
    }
}

async fn answers(link: &mut Link, deadline: tokio::time::Instant) -> bool {
    matches!(
        tokio::time::timeout_at(deadline, link.ping()).await,
        Ok(Ok(()))
    )
}

/// True while a server is not there yet but may come.
fn starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

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
    fn new(live: Live, place: OwnedSemaphorePermit, pool: &Pool) -> Self {
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
            self.pool.condemn();
        }
        result
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
