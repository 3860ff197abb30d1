//! The port of the cache.

use async_trait::async_trait;
use bytes::Bytes;

use super::{CacheKey, CachePolicy, CacheTag};
use crate::inject::BoxFuture;

/// A read: which value, by which policy, and the groups that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct CacheQuery<'a> {
    /// The value.
    pub key: &'a CacheKey,
    /// Its policy.
    pub policy: &'a CachePolicy,
    /// Its groups. They must be the same in each read of the value.
    pub tags: &'a [CacheTag],
}

/// The result of a read. `None` in place of bytes is a remembered absence.
#[derive(Debug)]
pub enum Lookup {
    /// A value to use.
    Hit(Option<Bytes>),
    /// An expired value, and the lease to load a new one. Use the old one if that fails.
    Stale(Option<Bytes>, CacheLease),
    /// No value: load it, and complete the lease.
    Miss(CacheLease),
    /// No value, and the load that this read waited for has failed or takes too long. Load; the
    /// lease stores nothing. Keep it until the load has ended.
    Bypass(CacheLease),
}

/// Stores cached values. Its methods never fail: a store that is unavailable is a miss.
#[async_trait]
pub trait CacheStore: Send + Sync + 'static {
    /// Reads from the memory of this process, without waiting. Returns `None` unless there is a
    /// valid value.
    fn peek(&self, query: CacheQuery<'_>) -> Option<Option<Bytes>>;

    /// Reads a value. On a miss, one caller gets a lease; the others wait for the end of its load.
    async fn lookup(&self, query: CacheQuery<'_>) -> Lookup;

    /// Makes the values of these tags and keys unreadable in this process, at once, and on all
    /// other nodes. Waits for the shared store for a short time at most.
    async fn invalidate(&self, tags: Vec<CacheTag>, keys: Vec<CacheKey>);

    /// Runs a load that no read waits for. It is dropped if too many of them run already, and if it
    /// takes too long.
    fn spawn(&self, load: BoxFuture<'static, ()>);

    /// Counts a value that could not be decoded.
    fn undecodable(&self, policy: &CachePolicy);
}

/// The right to load one value. If it is dropped, the next reader gets it.
pub struct CacheLease(Box<dyn LeaseEnd>);

/// What a store does at the end of a load.
#[async_trait]
pub trait LeaseEnd: Send + Sync {
    /// Stores the loaded value, unless it was invalidated since the lease began.
    async fn complete(self: Box<Self>, value: Option<Bytes>);
    /// Records that the load has failed.
    fn fail(self: Box<Self>);
    /// Returns the number of loads of this value that ran in this process when the lease began,
    /// with its own.
    fn concurrent_loads(&self) -> u32 {
        1
    }
}

impl CacheLease {
    /// Creates a lease.
    pub fn new(end: impl LeaseEnd + 'static) -> Self {
        Self(Box::new(end))
    }

    /// Returns the number of loads of this value that ran in this process when the lease began,
    /// with its own.
    pub fn concurrent_loads(&self) -> u32 {
        self.0.concurrent_loads()
    }

    /// Stores the loaded value, unless it was invalidated since the lease began.
    pub async fn complete(self, value: Option<Bytes>) {
        self.0.complete(value).await;
    }

    /// Reports that the load has failed, so that those who wait for it load for themselves.
    pub fn fail(self) {
        self.0.fail();
    }
}

impl std::fmt::Debug for CacheLease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CacheLease")
    }
}
