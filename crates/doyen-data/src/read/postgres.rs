//! Reads of PostgreSQL: a few connections that all requests share, each a lane on which statements follow one another without waiting
//! for answers.
//!
//! What it saves: a place in the pool, a flush and a wake-up for each statement. What it must not cost: one slow statement holds up all
//! that were sent behind it. So
//!
//! - a read goes to a lane whose oldest statement has just been sent; when all have older ones, another lane is opened, up to a bound;
//! - a lane whose answers have stopped coming gets no more reads, and those that wait there behind somebody else's statement are sent
//!   again elsewhere;
//! - a statement whose reader went away has a moment to end, then it is cancelled, and its lane is used no more.
//!
//! A read never waits for a lane to be opened, and none of this can make it fail: whenever a lane will not do, it runs over the pool.
//! Reads are safe to repeat.
//!
//! What it does not do: keep anything of one read for the next on its connection, and present a certificate of its own to the server.

mod lane;
mod open;
mod tls;
mod values;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync;
use sea_orm::Value;
use tokio::sync::Semaphore;
use tokio_postgres::error::SqlState;

use self::lane::{Answer, Lane, Missed};
use super::Unread;
use crate::error::{broken, lost_code, reported};
use crate::row::Cells;
use crate::{DatabaseOptions, PoolStatus, Row};

pub(crate) use self::open::Opener;

/// More would be a pool.
const MOST: u32 = 4;

/// A statement sent less than this ago is no reason to look for another lane.
const YOUNG: Duration = Duration::from_millis(2);

/// A lane that was silent this long is asked whether it is still there before it is used.
const RESTED: Duration = Duration::from_secs(30);

/// How long a lane that failed to open is not tried again: the first time, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

pub(crate) struct PostgresReader(Arc<Shared>);

struct Shared {
    opener: Opener,
    max: u32,
    /// The longest wait for an answer; the server's own limit should have spoken before.
    patience: Duration,
    lifetime: Duration,
    idle: Duration,
    lanes: Mutex<Lanes>,
    /// A place for each connection; it is free again when the connection has ended.
    places: Arc<Semaphore>,
    opening: AtomicBool,
    tidying: AtomicBool,
    closed: AtomicBool,
}

#[derive(Default)]
struct Lanes {
    open: Vec<Arc<Lane>>,
    /// Not before this moment, after so long a pause.
    again: Option<(Instant, Duration)>,
}

impl PostgresReader {
    /// Opens nothing yet.
    pub(crate) fn new(opener: Opener, options: &DatabaseOptions, patience: Duration) -> Self {
        let max = options.read_connections.min(MOST);
        Self(Arc::new(Shared {
            opener,
            max,
            patience,
            lifetime: options.max_lifetime,
            idle: options.idle_timeout,
            lanes: Mutex::default(),
            places: Arc::new(Semaphore::new(max as usize)),
            opening: AtomicBool::new(false),
            tidying: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }))
    }

    pub(crate) async fn all<T: Row>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>, Unread> {
        let rows = self.0.read(sql, values, false).await?;
        rows.iter()
            .map(|row| T::read(&mut Cells::postgres(row)).map_err(Unread::Failed))
            .collect()
    }

    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, Unread> {
        let rows = self.0.read(sql, values, true).await?;
        rows.first()
            .map(|row| T::read(&mut Cells::postgres(row)).map_err(Unread::Failed))
            .transpose()
    }

    pub(crate) fn size(&self) -> PoolStatus {
        let free = u32::try_from(self.0.places.available_permits()).unwrap_or(u32::MAX);
        let lanes = self.0.lanes();
        let idle = lanes.open.iter().filter(|lane| lane.is_idle()).count();
        PoolStatus {
            open: self.0.max.saturating_sub(free),
            idle: u32::try_from(idle).unwrap_or(u32::MAX),
            max: self.0.max,
        }
    }

    /// No read begins after this; those that run may finish.
    pub(crate) async fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.lanes().open.clear();
        let all = self.0.places.acquire_many(self.0.max);
        let _ended = tokio::time::timeout(lane::PATIENCE, all).await;
    }
}

impl Shared {
    fn lanes(&self) -> std::sync::MutexGuard<'_, Lanes> {
        sync::lock(&self.lanes)
    }

    async fn read(
        self: &Arc<Self>,
        sql: &str,
        values: &[Value],
        first: bool,
    ) -> Result<Answer, Unread> {
        let Some(lane) = self.choose() else {
            return Err(Unread::Elsewhere);
        };
        if lane.rested(RESTED) && !lane.answers().await {
            lane.retire();
            return Err(Unread::Elsewhere);
        }
        let result = match lane.read(sql, values, first, self.patience).await {
            // The columns of the table have changed since the statement was prepared.
            Err(Missed::Failed(error))
                if error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) =>
            {
                lane.forget(sql);
                lane.read(sql, values, first, self.patience).await
            }
            result => result,
        };
        result.map_err(|missed| match missed {
            Missed::Elsewhere => Unread::Elsewhere,
            Missed::Silent => {
                lane.end();
                Unread::Failed(broken(std::io::Error::new(
                    std::io::ErrorKind::TimedOut,
                    "the database did not answer in time",
                )))
            }
            Missed::Failed(error) => match error.as_db_error() {
                Some(error) if lost_code(error.code().code(), error.message()) => {
                    lane.retire();
                    Unread::Elsewhere
                }
                Some(error)
                    if *error.code() == SqlState::QUERY_CANCELED && lane.was_cancelled() =>
                {
                    Unread::Elsewhere
                }
                Some(error) => Unread::Failed(reported(error.message(), error.code().code())),
                // The connection is gone, or the values are not what the statement takes: the pool knows how to say it.
                None => {
                    if lane.is_closed() {
                        lane.retire();
                    }
                    Unread::Elsewhere
                }
            },
        })
    }

    /// The lane for a read, if one will do. Has another one opened when that would be better.
    fn choose(self: &Arc<Self>) -> Option<Arc<Lane>> {
        let now = Instant::now();
        let mut lanes = self.lanes();
        lanes
            .open
            .retain(|lane| lane.is_usable() && now.duration_since(lane.born) < self.lifetime);
        let mut best: Option<(usize, &Arc<Lane>)> = None;
        for lane in &lanes.open {
            let traffic = lane.traffic(now);
            if traffic.stalled {
                continue;
            }
            if traffic.oldest < YOUNG {
                return Some(Arc::clone(lane));
            }
            if best.is_none_or(|(depth, _)| traffic.depth < depth) {
                best = Some((traffic.depth, lane));
            }
        }
        let best = best.map(|(_, lane)| Arc::clone(lane));
        let paused = lanes.again.is_some_and(|(again, _)| now < again);
        drop(lanes);
        if !paused {
            self.open_another();
        }
        best
    }

    /// In a task of its own: no read waits for it.
    fn open_another(self: &Arc<Self>) {
        if self.closed.load(Ordering::Relaxed) || self.opening.swap(true, Ordering::AcqRel) {
            return;
        }
        let (Ok(place), Ok(runtime)) = (
            Arc::clone(&self.places).try_acquire_owned(),
            tokio::runtime::Handle::try_current(),
        ) else {
            self.opening.store(false, Ordering::Release);
            return;
        };
        let shared = Arc::clone(self);
        drop(runtime.spawn(async move {
            let opened = shared.opener.open(place).await;
            {
                let mut lanes = shared.lanes();
                match opened {
                    Ok(_) if shared.closed.load(Ordering::Relaxed) => {}
                    Ok(lane) => {
                        lanes.again = None;
                        lanes.open.push(lane);
                        shared.keep_tidy();
                    }
                    Err(error) => {
                        let pause = lanes
                            .again
                            .map_or(PAUSE.0, |(_, pause)| (pause * 2).min(PAUSE.1));
                        lanes.again = Some((Instant::now() + pause, pause));
                        tracing::warn!(%error, "no connection of its own for typed reads: they run over the pool");
                    }
                }
            }
            shared.opening.store(false, Ordering::Release);
        }));
    }

    /// Closes lanes that nobody uses, even when nobody reads; ends with the last lane.
    fn keep_tidy(self: &Arc<Self>) {
        if self.tidying.swap(true, Ordering::AcqRel) {
            return;
        }
        let shared = Arc::downgrade(self);
        let every = (self.idle / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        drop(tokio::spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                let Some(shared) = shared.upgrade() else {
                    return;
                };
                let mut lanes = shared.lanes();
                lanes
                    .open
                    .retain(|lane| lane.is_usable() && !lane.rested(shared.idle));
                if lanes.open.is_empty() {
                    // Within the lock: the next lane starts the next round.
                    shared.tidying.store(false, Ordering::Release);
                    return;
                }
            }
        }));
    }
}
