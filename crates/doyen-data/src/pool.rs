//! A pool of connections.
//!
//! Why our own: sqlx's pool sends a ping for every connection that comes back and can not end a statement whose request went away. Here a
//! clean connection goes back without a word, one that rested for a while is pinged before use, and an abandoned one is
//! cleaned or replaced before its place in the pool is free again. Waiting is first come, first served.

mod lease;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use lease::Lease;

use crate::link::{Link, Recipe};

/// The limits of a pool.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max: u32,
    pub(crate) min: u32,
    pub(crate) acquire: Duration,
    pub(crate) lifetime: Duration,
    pub(crate) idle: Duration,
    /// A connection that rested longer is pinged before it is used.
    pub(crate) rested: Duration,
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
        let mut place = place;
        while let Some(Idle { live, since }) = self.pop() {
            let stale = self.too_old(&live);
            let mut lease = Lease::new(live, place, self);
            if !stale && (since.elapsed() < self.0.limits.rested || lease.answers(deadline).await) {
                return Ok(lease);
            }
            match lease.give_up() {
                Some(freed) => place = freed,
                None => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)),
            }
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

    /// Uses none of the connections of this generation again. Those that were opened since are not to blame.
    fn condemn(&self, generation: u64) {
        let now = &self.0.generation;
        let _newer = now.compare_exchange(
            generation,
            generation + 1,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
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
        sync::lock(&self.0.idle)
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

/// True while a server is not there yet but may come.
fn starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::link::SqliteRecipe;

    fn pool(name: &str, rested: Duration) -> (Pool, std::path::PathBuf) {
        let file =
            std::env::temp_dir().join(format!("doyen-pool-{name}-{}.db", std::process::id()));
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true);
        let limits = Limits {
            max: 2,
            min: 0,
            acquire: Duration::from_millis(200),
            lifetime: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            rested,
            patience: Duration::from_secs(1),
        };
        (
            Pool::new(Recipe::Sqlite(SqliteRecipe(options)), limits),
            file,
        )
    }

    #[tokio::test]
    async fn a_clean_connection_is_used_again_and_a_rested_one_after_a_ping() {
        for rested in [Duration::from_secs(30), Duration::ZERO] {
            let (pool, file) = pool("again", rested);
            for _ in 0..5 {
                drop(pool.acquire().await.unwrap());
                assert_eq!(pool.size(), (1, 1));
            }
            pool.close().await;
            std::fs::remove_file(file).unwrap();
        }
    }

    #[tokio::test]
    async fn one_death_condemns_those_of_its_age_and_no_younger_one() {
        let (pool, file) = pool("death", Duration::from_secs(30));
        let (one, two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(one);
        pool.condemn(0);
        drop(two);
        let young = pool.acquire().await.unwrap();
        pool.condemn(0);
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
    async fn giving_up_the_wait_costs_nothing() {
        let (pool, file) = pool("wait", Duration::ZERO);
        let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        assert!(matches!(
            pool.acquire().await,
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
        ));
        drop(held);
        for _ in 0..20 {
            // Dropped at its first pause, which is the ping.
            drop(pool.acquire().now_or_never());
        }
        let both = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
        assert_eq!(pool.size(), (2, 0));
        drop(both);
        pool.close().await;
        std::fs::remove_file(file).unwrap();
    }
}
