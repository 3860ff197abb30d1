//! Limits of the deliveries that run at a time. The broker has a limit of its own, so that it does
//! not hold back handlers while it is unavailable.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync::lock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{BROKER_LANES, Relay};
use crate::store::{Target, Wish};

/// First and longest pause after the broker has failed.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A group of targets with a common limit.
pub(crate) struct Pool {
    names: Vec<&'static str>,
    json: String,
    permits: Arc<Semaphore>,
    paused: Paused,
}

/// The right to run one lane.
pub(crate) struct LanePermit {
    /// Index of the pool.
    pub(crate) pool: usize,
    _permit: OwnedSemaphorePermit,
}

/// The pause of a pool whose target has failed as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paused(Arc<Mutex<(Duration, Option<Instant>)>>);

impl Paused {
    /// Claims nothing for a while; longer each time.
    pub(crate) fn pause(&self) {
        let mut state = lock(&self.0);
        // Lanes that fail together are one failure.
        if state.1.is_none_or(|until| until <= Instant::now()) {
            state.0 = (state.0 * 2).clamp(MIN_PAUSE, MAX_PAUSE);
            state.1 = Some(Instant::now() + state.0);
        }
    }

    pub(crate) fn recover(&self) {
        *lock(&self.0) = (Duration::ZERO, None);
    }

    fn is_paused(&self) -> bool {
        lock(&self.0).1.is_some_and(|until| until > Instant::now())
    }
}

impl Pool {
    /// The pool of the handlers and that of the broker.
    pub(crate) fn of(relay: &Relay) -> Vec<Self> {
        let limits = [
            (false, usize::from(relay.settings.concurrency)),
            (true, BROKER_LANES),
        ];
        let pool = |(is_broker, limit)| {
            let of_pool = |target: &&Target| target.is_broker == is_broker;
            let targets = relay.targets.iter().filter(of_pool);
            let names: Vec<_> = targets.map(|target| target.name).collect();
            Self {
                json: serde_json::Value::from(names.clone()).to_string(),
                permits: Arc::new(Semaphore::new(if names.is_empty() { 0 } else { limit })),
                names,
                paused: Paused::default(),
            }
        };
        limits.into_iter().map(pool).collect()
    }

    pub(crate) fn has(&self, handler: &str) -> bool {
        self.names.contains(&handler)
    }

    /// What to claim now.
    pub(crate) fn wish(&self) -> Wish {
        let lanes = if self.paused.is_paused() {
            0
        } else {
            self.permits.available_permits()
        };
        Wish {
            handlers: self.json.clone(),
            lanes,
        }
    }

    pub(crate) fn paused(&self) -> Paused {
        self.paused.clone()
    }

    pub(crate) fn permit(&self, pool: usize) -> Option<LanePermit> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        Some(LanePermit {
            pool,
            _permit: permit,
        })
    }
}
