//! The tier in Redis, for all nodes.
//!
//! Each key and tag has a generation there too: a random text, so that a generation that Redis has
//! lost never fits an old value. A value is stored with its generations and compared when it is
//! read. All scripts are short, and all keys of an application are in one slot of a cluster.
//!
//! No request fails because of Redis. A command waits for `redis.timeout` at most; after the first
//! failure this node works without the tier until Redis responds again. Invalidations of that time
//! are kept, as slots, and sent first.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use doyen_app::redis::RedisConnection;
use doyen_core::cache::CacheKey;
use doyen_core::sync::lock;
use redis::{FromRedisValue, RedisResult, Script};

use crate::codec;
use crate::counters::{Counters, count};
use crate::shared_value::{Begin, SharedValue};
use crate::slots::{Slot, Slots, View};

/// Interval between attempts to reach Redis after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// Timeout of such an attempt.
const RETRY_TIMEOUT: Duration = Duration::from_millis(500);
/// Messages in the stream. A node that falls further behind drops all its values.
const MAX_MESSAGES: u32 = 4096;

/// The second tier.
pub(crate) struct Shared(Arc<Inner>);

struct Inner {
    connection: RedisConnection,
    scripts: Scripts,
    prefix: String,
    timeout: Duration,
    lease_millis: u64,
    slots: Arc<Slots>,
    counters: Arc<Counters>,
    away: AtomicBool,
    followed: AtomicBool,
    pending: Mutex<Pending>,
    invalidations: AtomicU64,
}

/// What Redis does not know yet, each with the number of its last invalidation.
#[derive(Clone, Default)]
struct Pending {
    /// Invalidated slots. There are 65,536 at most.
    slots: BTreeMap<Slot, u64>,
    /// Set if everything was invalidated.
    all: Option<u64>,
}

struct Scripts {
    begin: Script,
    store: Script,
    release: Script,
    invalidate: Script,
    invalidate_all: Script,
}

/// The lease to load a value for all nodes: its name and text in Redis.
pub(crate) struct SharedLease {
    key: String,
    text: String,
    generations: String,
}

impl Shared {
    pub(crate) fn new(
        (connection, timeout): (RedisConnection, Duration),
        application: &str,
        load_timeout: Duration,
        slots: &Arc<Slots>,
        counters: &Arc<Counters>,
    ) -> Self {
        Self(Arc::new(Inner {
            connection,
            scripts: Scripts {
                begin: Script::new(include_str!("lua/begin.lua")),
                store: Script::new(include_str!("lua/store.lua")),
                release: Script::new(include_str!("lua/release.lua")),
                invalidate: Script::new(include_str!("lua/invalidate.lua")),
                invalidate_all: Script::new(include_str!("lua/invalidate_all.lua")),
            },
            prefix: format!("doyen:{{{application}}}:cache:"),
            timeout,
            lease_millis: millis(load_timeout).max(1),
            slots: Arc::clone(slots),
            counters: Arc::clone(counters),
            away: AtomicBool::new(false),
            followed: AtomicBool::new(false),
            pending: Mutex::default(),
            invalidations: AtomicU64::new(0),
        }))
    }

    /// True while this node receives the invalidations of the others.
    pub(crate) fn is_followed(&self) -> bool {
        self.0.followed.load(Ordering::SeqCst)
    }

    pub(crate) fn set_followed(&self, is: bool) {
        self.0.followed.store(is, Ordering::SeqCst);
    }

    /// True while this node works without Redis.
    pub(crate) fn is_away(&self) -> bool {
        self.0.away.load(Ordering::SeqCst)
    }

    pub(crate) fn stream(&self) -> String {
        self.0.name("stream")
    }

    /// Reads a value, or takes the lease to load it.
    pub(crate) async fn begin(&self, key: &CacheKey, view: &View) -> Begin {
        if self.is_away() {
            return Begin::Unavailable;
        }
        let inner = &self.0;
        let entry = inner.entry(key);
        let lease = format!("{entry}:lease");
        let holder = random();
        let mut call = inner.scripts.begin.prepare_invoke();
        call.key(&entry).key(&lease).key(inner.name("generations"));
        call.arg(&holder).arg(inner.lease_millis).arg(random());
        view.slots().for_each(|slot| {
            call.arg(slot);
        });
        let mut connection = inner.connection.clone();
        let work = call.invoke_async(&mut connection);
        type Answer = (Option<Vec<u8>>, i64, i64, String, u8);
        let Some((bytes, left, stale, generations, is_ours)) =
            inner.within_timeout::<Answer>(work).await
        else {
            return Begin::Unavailable;
        };
        let found = bytes.and_then(|bytes| {
            let value = codec::decode(key, &Bytes::from(bytes))?;
            let fresh_for = positive(left.saturating_sub(stale));
            let usable_for = positive(left);
            Some(SharedValue {
                value,
                fresh_for,
                usable_for,
            })
        });
        if left > stale && is_ours == 0 {
            return match found {
                Some(found) => {
                    count(&inner.counters.shared_hits);
                    Begin::Fresh(found)
                }
                // Written by another release, which this one cannot read: load without the tier.
                None => Begin::Unavailable,
            };
        }
        count(&inner.counters.shared_misses);
        if is_ours == 0 {
            return Begin::Busy(found);
        }
        let text = format!("{generations}|{holder}");
        let lease = SharedLease {
            key: lease,
            text,
            generations,
        };
        Begin::Load(found, lease)
    }

    /// Stores a loaded value and ends the lease.
    pub(crate) async fn store(
        &self,
        lease: SharedLease,
        key: &CacheKey,
        view: &View,
        value: Option<&[u8]>,
        fresh_for: Duration,
        stale_for: Duration,
    ) {
        if self.is_away() {
            return;
        }
        let inner = &self.0;
        let mut call = inner.scripts.store.prepare_invoke();
        call.key(inner.entry(key)).key(&lease.key);
        call.key(inner.name("generations"));
        call.arg(&lease.text).arg(&lease.generations);
        call.arg(codec::encode(key, value));
        let stale = millis(stale_for);
        call.arg(millis(fresh_for).max(1) + stale).arg(stale);
        view.slots().for_each(|slot| {
            call.arg(slot);
        });
        let mut connection = inner.connection.clone();
        let work = call.invoke_async(&mut connection);
        let _stored = inner.within_timeout::<u8>(work).await;
    }

    /// Gives a lease back, in the background.
    pub(crate) fn release(&self, lease: SharedLease) {
        let inner = Arc::clone(&self.0);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if self.is_away() {
            return;
        }
        runtime.spawn(async move {
            let mut call = inner.scripts.release.prepare_invoke();
            call.key(&lease.key).arg(&lease.text);
            let mut connection = inner.connection.clone();
            let work = call.invoke_async(&mut connection);
            let _released = inner.within_timeout::<()>(work).await;
        });
    }

    /// Invalidates slots in Redis and on all nodes.
    pub(crate) async fn invalidate(&self, slots: &[Slot]) {
        // First, so that they are sent later if this is cancelled or fails.
        let number = self.0.invalidations.fetch_add(1, Ordering::Relaxed);
        let numbered = slots.iter().map(|slot| (*slot, number));
        lock(&self.0.pending).slots.extend(numbered);
        if self.is_away() {
            return;
        }
        self.0.send_pending(self.0.timeout).await;
    }

    /// Invalidates everything in Redis and on all nodes.
    pub(crate) async fn invalidate_all(&self) {
        let number = self.0.invalidations.fetch_add(1, Ordering::Relaxed);
        lock(&self.0.pending).all = Some(number);
        if !self.is_away() {
            self.0.send_pending(self.0.timeout).await;
        }
    }
}

impl Inner {
    /// Sends the pending invalidations. Returns false if Redis does not respond.
    async fn send_pending(self: &Arc<Self>, limit: Duration) -> bool {
        let Pending { slots, all } = lock(&self.pending).clone();
        if all.is_some() {
            let mut call = self.scripts.invalidate_all.prepare_invoke();
            call.key(self.name("generations")).key(self.name("stream"));
            call.key(self.name("number")).arg(MAX_MESSAGES);
            let mut connection = self.connection.clone();
            let work = call.invoke_async(&mut connection);
            if self.within::<()>(limit, work).await.is_none() {
                return false;
            }
            lock(&self.pending)
                .all
                .take_if(|number| Some(*number) == all);
        }
        if slots.is_empty() {
            return true;
        }
        let mut call = self.scripts.invalidate.prepare_invoke();
        call.key(self.name("generations")).key(self.name("stream"));
        call.key(self.name("number"));
        call.arg(MAX_MESSAGES).arg(random());
        slots.keys().for_each(|slot| {
            call.arg(slot);
        });
        let mut connection = self.connection.clone();
        let work = call.invoke_async(&mut connection);
        let sent = self.within::<()>(limit, work).await.is_some();
        if sent {
            // One that was invalidated again meanwhile must be sent again.
            lock(&self.pending)
                .slots
                .retain(|slot, number| slots.get(slot) != Some(number));
        }
        sent
    }

    async fn within_timeout<T: FromRedisValue>(
        self: &Arc<Self>,
        work: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        self.within(self.timeout, work).await
    }

    /// Runs a command. After a failure this node works without Redis.
    async fn within<T: FromRedisValue>(
        self: &Arc<Self>,
        limit: Duration,
        work: impl Future<Output = RedisResult<T>>,
    ) -> Option<T> {
        let why = match tokio::time::timeout(limit, work).await {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no response in time".to_owned(),
        };
        count(&self.counters.shared_errors);
        self.leave(&why);
        None
    }

    /// Works without Redis. It is logged once, and a task watches Redis.
    fn leave(self: &Arc<Self>, why: &str) {
        if self.away.swap(true, Ordering::SeqCst) {
            return;
        }
        tracing::warn!(
            error = why,
            "Redis is unavailable: each node caches for itself"
        );
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(RETRY_INTERVAL).await;
                let Some(inner) = inner.upgrade() else { return };
                if inner.is_back().await {
                    // Values cached meanwhile were not compared with the other nodes.
                    inner.slots.invalidate_all();
                    count(&inner.counters.resets);
                    inner.away.store(false, Ordering::SeqCst);
                    tracing::info!("Redis is available again: all nodes cache together");
                    // Those that were added after the last attempt.
                    inner.send_pending(RETRY_TIMEOUT).await;
                    return;
                }
            }
        });
    }

    /// True if Redis responds and knows every invalidation.
    async fn is_back(self: &Arc<Self>) -> bool {
        let mut connection = self.connection.clone();
        let ping = redis::cmd("PING");
        let ping = ping.query_async::<String>(&mut connection);
        if !matches!(tokio::time::timeout(RETRY_TIMEOUT, ping).await, Ok(Ok(_))) {
            return false;
        }
        self.send_pending(RETRY_TIMEOUT).await
    }

    fn name(&self, part: &str) -> String {
        format!("{}{part}", self.prefix)
    }

    /// The name of an entry: a hash, so that no text of a client is in a key.
    fn entry(&self, key: &CacheKey) -> String {
        let hash = digest(&SHA256, key.as_str().as_bytes());
        let mut name = self.name("v:");
        for byte in &hash.as_ref()[..16] {
            for digit in [byte >> 4, byte & 15] {
                name.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        name
    }
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn positive(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
