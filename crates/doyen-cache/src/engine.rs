//! A read, over both tiers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use doyen_app::Redis;
use doyen_core::Clock;
use doyen_core::cache::{
    CacheKey, CacheLease, CachePolicy, CacheQuery, CacheStore, CacheTag, Lookup,
};
use doyen_core::inject::BoxFuture;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::counters::{Counters, count};
use crate::flights::{self, Flight, Flights, Join, Outcome};
use crate::lease::Lease;
use crate::loads::{Bypass, Loads};
use crate::local::{Local, Stored, micros};
use crate::policies::Policies;
use crate::shared_value::{Begin, SharedValue};
use crate::slots::{self, Slots, View};
use crate::{CacheSettings, Shared};

/// First pause before a read asks again whether another node has loaded the value.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Longest such pause.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum concurrent loads in the background.
const MAX_BACKGROUND_LOADS: usize = 64;

/// The store of the cache. Cloning shares it.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: CacheSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) shared: Option<Arc<Shared>>,
    pub(crate) local: Local,
    pub(crate) policies: Policies,
    flights: Arc<Flights>,
    loads: Arc<Loads>,
    /// Places for loads in the background.
    background: Arc<Semaphore>,
    /// For the connection that follows the other nodes.
    redis: OnceLock<Redis>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// Creates a store in memory.
    pub fn new(settings: CacheSettings, clock: Arc<dyn Clock>) -> Self {
        Self::build(settings, clock, |_, _| None)
    }

    /// Creates a store. `shared` creates the second tier, which shares slots and counters.
    pub(crate) fn build(
        settings: CacheSettings,
        clock: Arc<dyn Clock>,
        shared: impl FnOnce(&Arc<Slots>, &Arc<Counters>) -> Option<Arc<Shared>>,
    ) -> Self {
        let (slots, counters) = (Arc::new(Slots::new()), Arc::<Counters>::default());
        Self(Arc::new(Inner {
            local: Local::new(settings.max_bytes.bytes(), &counters),
            policies: Policies::default(),
            flights: Arc::default(),
            loads: Arc::default(),
            background: Arc::new(Semaphore::new(MAX_BACKGROUND_LOADS)),
            redis: OnceLock::new(),
            shared: shared(&slots, &counters),
            settings,
            clock,
            slots,
            counters,
        }))
    }

    #[cfg(feature = "redis")]
    pub(crate) fn set_redis(&self, redis: Redis) {
        // A new engine has none.
        let _first = self.0.redis.set(redis);
    }

    /// Starts to follow the invalidations of other nodes. Returns `None` without Redis.
    pub fn follow(&self) -> Option<JoinHandle<()>> {
        let (shared, redis) = (self.0.shared.as_ref()?, self.0.redis.get()?);
        let (inner, shared) = (Arc::clone(&self.0), Arc::clone(shared));
        Some(crate::follow::spawn(inner, shared, redis.clone()))
    }

    /// Returns why the second tier is not in use, if it should be.
    pub(crate) fn shared_state(&self) -> Result<(), String> {
        match &self.0.shared {
            Some(shared) if shared.is_away() => {
                Err("Redis does not respond: each node caches for itself".to_owned())
            }
            Some(shared) if !shared.is_followed() => {
                Err("the invalidations of other nodes are not received".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn settings(&self) -> &CacheSettings {
        &self.0.settings
    }

    /// True if it has a second tier.
    pub(crate) fn has_redis(&self) -> bool {
        self.0.shared.is_some()
    }

    /// Returns what was counted so far.
    pub fn stats(&self) -> CacheStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (counters, (entries, bytes)) = (&self.0.counters, self.0.local.size());
        CacheStats {
            entries,
            bytes,
            hits: self.0.policies.hits(),
            stale_hits: read(&counters.stale_hits),
            misses: self.0.policies.misses(),
            waits: read(&counters.waits),
            loads: read(&counters.loads),
            failed_loads: read(&counters.failed_loads),
            abandoned_loads: read(&counters.abandoned_loads),
            oversized: read(&counters.oversized),
            evictions: read(&counters.evictions),
            undecodable: read(&counters.undecodable),
            invalidations: read(&counters.invalidations),
            resets: read(&counters.resets),
            shared_hits: read(&counters.shared_hits),
            shared_misses: read(&counters.shared_misses),
            shared_errors: read(&counters.shared_errors),
        }
    }
}

/// What the cache of one process has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Values in this process.
    pub entries: u64,
    /// Estimated bytes of these values.
    pub bytes: u64,
    /// Reads that found a fresh value in this process.
    pub hits: u64,
    /// Reads that returned an expired value.
    pub stale_hits: u64,
    /// Reads that found no fresh value in this process.
    pub misses: u64,
    /// Reads that waited for the load of another request.
    pub waits: u64,
    /// Loads that succeeded.
    pub loads: u64,
    /// Loads that failed.
    pub failed_loads: u64,
    /// Loads that were given up, because the client disconnected or the time was over.
    pub abandoned_loads: u64,
    /// Loaded values that were too large to store.
    pub oversized: u64,
    /// Values that were dropped because the memory was full.
    pub evictions: u64,
    /// Values that could not be decoded.
    pub undecodable: u64,
    /// Invalidated tags and keys.
    pub invalidations: u64,
    /// Times that the whole tier in this process was invalidated, because invalidations of other
    /// nodes may have been missed.
    pub resets: u64,
    /// Reads that found a value in Redis.
    pub shared_hits: u64,
    /// Reads that found no fresh value in Redis.
    pub shared_misses: u64,
    /// Commands to Redis that failed or took too long.
    pub shared_errors: u64,
}

#[async_trait]
impl CacheStore for Engine {
    fn peek(&self, query: CacheQuery<'_>) -> Option<Option<Bytes>> {
        let found = self.0.find(query.key)?;
        if found.fresh_until <= self.0.now() {
            return None;
        }
        count(&found.policy.hits);
        Some(found.value.clone())
    }

    async fn lookup(&self, query: CacheQuery<'_>) -> Lookup {
        let inner = &self.0;
        let deadline = Instant::now() + inner.settings.load_timeout;
        loop {
            // Before anything is read, so that what is stored is not newer than its generations.
            let view = inner.slots.view(query.key, query.tags);
            let now = inner.now();
            let found = inner.find(query.key);
            let old = match found {
                Some(found) if found.fresh_until > now => {
                    count(&found.policy.hits);
                    return Lookup::Hit(found.value.clone());
                }
                Some(found) if found.usable_until > now => Some(found.value.clone()),
                Some(_) => {
                    inner.local.remove(query.key);
                    None
                }
                None => None,
            };
            let receiver = match inner.flights.join(query.key, &view) {
                Join::Lead(flight) => {
                    count(&inner.policies.of(query.policy).misses);
                    return self.lead(query, view, flight, old, deadline).await;
                }
                Join::Wait(receiver) => receiver,
            };
            if let Some(old) = old {
                count(&inner.counters.stale_hits);
                return Lookup::Hit(old);
            }
            count(&inner.counters.waits);
            match tokio::time::timeout_at(deadline, flights::wait(receiver)).await {
                Ok(Some(Outcome::Value(value))) => return Lookup::Hit(value),
                Ok(Some(Outcome::Failed)) | Err(_) => return inner.bypass(query.key),
                // The load was given up: the first one here loads.
                Ok(None) => {}
            }
        }
    }

    async fn invalidate(&self, tags: Vec<CacheTag>, keys: Vec<CacheKey>) {
        let tags = tags.iter().map(slots::of_tag);
        let slots: Vec<_> = tags.chain(keys.iter().map(slots::of_key)).collect();
        let total = &self.0.counters.invalidations;
        total.fetch_add(slots.len() as u64, Ordering::Relaxed);
        let here = || slots.iter().for_each(|slot| self.0.slots.invalidate(*slot));
        here();
        if let Some(shared) = &self.0.shared {
            shared.invalidate(&slots).await;
            // A read between the two may have copied the old value from Redis.
            here();
        }
    }

    fn spawn(&self, load: BoxFuture<'static, ()>) {
        let Ok(permit) = Arc::clone(&self.0.background).try_acquire_owned() else {
            return;
        };
        let limit = self.0.settings.load_timeout;
        tokio::spawn(async move {
            // Without an end, the lease is dropped and counts as abandoned.
            let _ended = tokio::time::timeout(limit, load).await;
            drop(permit);
        });
    }

    fn undecodable(&self, policy: &CachePolicy) {
        count(&self.0.counters.undecodable);
        tracing::warn!(
            policy = policy.name(),
            "a cached value cannot be decoded and is loaded again: increment the version of the policy when its type changes"
        );
    }
}

impl Engine {
    /// Loads a value, unless another node has it or is about to.
    async fn lead(
        &self,
        query: CacheQuery<'_>,
        view: View,
        flight: Flight,
        old: Option<Option<Bytes>>,
        deadline: Instant,
    ) -> Lookup {
        let inner = &self.0;
        let lease = |shared_lease, flight, view| {
            let (key, policy) = (query.key.clone(), *query.policy);
            CacheLease::new(Lease::new(
                Arc::clone(inner),
                key,
                policy,
                view,
                flight,
                inner.loads.begin(query.key),
                shared_lease,
            ))
        };
        let load = |old: Option<Option<Bytes>>, lease| match old {
            Some(old) => {
                count(&inner.counters.stale_hits);
                Lookup::Stale(old, lease)
            }
            None => Lookup::Miss(lease),
        };
        let Some(shared) = &inner.shared else {
            return load(old, lease(None, flight, view));
        };
        let mut pause = MIN_POLL_INTERVAL;
        loop {
            match shared.begin(query.key, &view).await {
                Begin::Unavailable => return load(old, lease(None, flight, view)),
                Begin::Fresh(value) => {
                    let bytes = value.value.clone();
                    inner.copy(query.key, query.policy, view, value);
                    flight.finish(Outcome::Value(bytes.clone()));
                    return Lookup::Hit(bytes);
                }
                Begin::Load(found, shared_lease) => {
                    let old = found.map(|found| found.value).or(old);
                    return load(old, lease(Some(shared_lease), flight, view));
                }
                Begin::Busy(found) => {
                    if let Some(old) = found.map(|found| found.value).or_else(|| old.clone()) {
                        count(&inner.counters.stale_hits);
                        return Lookup::Hit(old);
                    }
                    if Instant::now() >= deadline {
                        flight.finish(Outcome::Failed);
                        return inner.bypass(query.key);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_POLL_INTERVAL);
                }
            }
        }
    }
}

impl Inner {
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().micros()
    }

    /// Returns the value in this process if its generations are current, fresh or not.
    fn find(&self, key: &CacheKey) -> Option<Arc<Stored>> {
        let found = self.local.get(key)?;
        if !self.slots.is_current(&found.view) {
            return None;
        }
        // What other nodes change is unknown without Redis.
        if let Some(shared) = &self.shared
            && !shared.is_followed()
            && found.stored_at + micros(self.settings.detached_ttl) <= self.now()
        {
            return None;
        }
        Some(found)
    }

    /// A load that stores nothing.
    fn bypass(&self, key: &CacheKey) -> Lookup {
        Lookup::Bypass(CacheLease::new(Bypass(self.loads.begin(key))))
    }

    /// Copies a value of the second tier into this process.
    fn copy(&self, key: &CacheKey, policy: &CachePolicy, view: View, found: SharedValue) {
        // It would replace a newer value, and could not be read.
        if !self.slots.is_current(&view) {
            return;
        }
        let now = self.now();
        let stored = Stored {
            value: found.value,
            view,
            policy: self.policies.of(policy),
            stored_at: now,
            fresh_until: now.saturating_add(micros(found.fresh_for)),
            usable_until: now.saturating_add(micros(found.usable_for)),
        };
        self.local.insert(key.clone(), stored);
    }

    /// Stores a loaded value in this process. Returns false if it is too large or must not be kept.
    pub(crate) fn keep(
        &self,
        key: &CacheKey,
        policy: &CachePolicy,
        view: View,
        value: Option<Bytes>,
        fresh_for: Duration,
        stale_for: Duration,
    ) -> bool {
        let size = value.as_ref().map_or(0, Bytes::len) as u64;
        if size > self.settings.max_entry_bytes.bytes() {
            count(&self.counters.oversized);
            return false;
        }
        if fresh_for.is_zero() {
            return false;
        }
        let usable_for = fresh_for.saturating_add(stale_for);
        let found = SharedValue {
            value,
            fresh_for,
            usable_for,
        };
        self.copy(key, policy, view, found);
        true
    }
}
