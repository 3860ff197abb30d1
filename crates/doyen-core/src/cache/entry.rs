//! One cached value.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{CacheKey, CacheLease, CachePolicy, CacheQuery, CacheStore, CacheTag};
use super::{Invalidation, Lookup};
use crate::step_names::{CACHE_POLICY, CONCURRENT_LOADS};
use crate::{Observation, ObservedStep, StepKind, StepValue, current_observation};

/// One value in the cache, which may be absent.
#[derive(Clone)]
pub struct CacheEntry {
    store: Arc<dyn CacheStore>,
    policy: CachePolicy,
    key: CacheKey,
    tags: Vec<CacheTag>,
}

impl std::fmt::Debug for CacheEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CacheEntry")
            .field("policy", &self.policy.name())
            .finish_non_exhaustive()
    }
}

/// A value and what to do with a new one.
enum Read<T> {
    Value(Option<T>),
    Load(Option<CacheLease>, Option<Option<T>>),
}

impl CacheEntry {
    pub(super) fn new(store: Arc<dyn CacheStore>, policy: CachePolicy, key: CacheKey) -> Self {
        Self {
            store,
            policy,
            key,
            tags: Vec::new(),
        }
    }

    /// Returns its full name.
    pub const fn key(&self) -> &CacheKey {
        &self.key
    }

    /// Adds the entry to a group. Use the same tags in each read of the entry.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<CacheTag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Invalidates this entry alone.
    pub fn invalidate(self) -> Invalidation {
        Invalidation::key(self.store, self.key)
    }

    /// Returns the value, and loads it if there is none. Of concurrent calls on all nodes, one
    /// loads and the others wait.
    ///
    /// # Errors
    ///
    /// Returns the error of the load, if there is no expired value to use in its place. Errors are
    /// not cached.
    pub async fn get_or_load<T, E, F>(self, load: impl FnOnce() -> F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        match self.read(false).await {
            Read::Value(Some(value)) => Ok(value),
            Read::Value(None) => load().await,
            Read::Load(lease, old) => self.load(lease, old.flatten(), load).await,
        }
    }

    /// Like [`get_or_load`](Self::get_or_load), but no read waits for the refresh of an expired
    /// value: it gets the old one, and `load` runs in the background. A failure is logged, and the
    /// next read tries again.
    ///
    /// `load` must own what it uses. The Session of a request ends with the response: open one of
    /// the database instead.
    ///
    /// # Errors
    ///
    /// Returns the error of the load if there is no value at all.
    pub async fn get_or_refresh<T, E, F>(
        self,
        load: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        E: std::fmt::Debug + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        match self.read(false).await {
            Read::Value(Some(value)) => Ok(value),
            Read::Value(None) => load().await,
            Read::Load(Some(lease), Some(Some(old))) => {
                let store = Arc::clone(&self.store);
                store.spawn(Box::pin(async move { self.refresh(lease, load()).await }));
                Ok(old)
            }
            Read::Load(lease, old) => self.load(lease, old.flatten(), load).await,
        }
    }

    /// Returns the value if it exists, and loads it if that is not known. A load that finds nothing
    /// is remembered too, for the negative time to live of the policy.
    ///
    /// # Errors
    ///
    /// See [`get_or_load`](Self::get_or_load).
    pub async fn find_or_load<T, E, F>(self, load: impl FnOnce() -> F) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<Option<T>, E>>,
    {
        match self.read(true).await {
            Read::Value(value) => Ok(value),
            Read::Load(lease, old) => match load().await {
                Ok(value) => {
                    self.complete(lease, encode(value.as_ref())).await;
                    Ok(value)
                }
                Err(error) => failed(lease, old, error),
            },
        }
    }

    async fn load<T, E, F>(
        &self,
        lease: Option<CacheLease>,
        old: Option<T>,
        load: impl FnOnce() -> F,
    ) -> Result<T, E>
    where
        T: Serialize,
        F: Future<Output = Result<T, E>>,
    {
        match load().await {
            Ok(value) => {
                self.complete(lease, encode(Some(&value))).await;
                Ok(value)
            }
            Err(error) => failed(lease, old, error),
        }
    }

    async fn refresh<T, E, F>(&self, lease: CacheLease, load: F)
    where
        T: Serialize,
        E: std::fmt::Debug,
        F: Future<Output = Result<T, E>>,
    {
        let encoded = match load.await {
            Ok(value) => encode(Some(&value)),
            Err(error) => {
                lease.fail();
                let policy = self.policy.name();
                tracing::warn!(policy, ?error, "a cached value was not refreshed");
                return;
            }
        };
        self.complete(Some(lease), encoded).await;
    }

    /// Returns the bytes of the entry, for callers that encode values themselves.
    pub async fn lookup(&self) -> Lookup {
        let observed = current_observation().map(|one| (one, Instant::now()));
        let found = match self.store.peek(self.query()) {
            Some(found) => Lookup::Hit(found),
            None => self.store.lookup(self.query()).await,
        };
        if let Some((observation, started)) = observed {
            self.observe(&*observation, started, &found);
        }
        found
    }

    fn observe(&self, observation: &dyn Observation, started: Instant, found: &Lookup) {
        let (result, loads) = match found {
            Lookup::Hit(_) => ("hit", 0),
            Lookup::Stale(_, lease) => ("stale", lease.concurrent_loads()),
            Lookup::Miss(lease) => ("miss", lease.concurrent_loads()),
            Lookup::Bypass(lease) => ("bypass", lease.concurrent_loads()),
        };
        let attributes = [
            (CACHE_POLICY, StepValue::Text(self.policy.name())),
            ("doyen.cache.result", StepValue::Text(result)),
            (CONCURRENT_LOADS, StepValue::Integer(loads.into())),
        ];
        // One load at a time is what the cache is for, and not worth an attribute.
        let shown = if loads > 1 { 3 } else { 2 };
        observation.step(&ObservedStep {
            kind: StepKind::Internal,
            name: "cache lookup",
            started,
            time: started.elapsed(),
            span: None,
            error: None,
            attributes: &attributes[..shown],
        });
    }

    fn query(&self) -> CacheQuery<'_> {
        CacheQuery {
            key: &self.key,
            policy: &self.policy,
            tags: &self.tags,
        }
    }

    /// A value that cannot be decoded, such as one of another release, counts as a miss.
    async fn read<T: DeserializeOwned>(&self, absence: bool) -> Read<T> {
        match self.lookup().await {
            Lookup::Hit(None) if absence => Read::Value(None),
            Lookup::Hit(None) => Read::Load(None, None),
            Lookup::Hit(Some(bytes)) => match self.decode(&bytes) {
                Some(value) => Read::Value(Some(value)),
                None => {
                    // Otherwise every read would fail until it expires.
                    let keys = vec![self.key.clone()];
                    self.store.invalidate(Vec::new(), keys).await;
                    Read::Load(None, None)
                }
            },
            Lookup::Stale(None, lease) => Read::Load(Some(lease), Some(None)),
            Lookup::Stale(Some(bytes), lease) => {
                Read::Load(Some(lease), self.decode(&bytes).map(Some))
            }
            Lookup::Miss(lease) | Lookup::Bypass(lease) => Read::Load(Some(lease), None),
        }
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Option<T> {
        let value = serde_json::from_slice(bytes).ok();
        if value.is_none() {
            self.store.undecodable(&self.policy);
        }
        value
    }

    async fn complete(&self, lease: Option<CacheLease>, encoded: Encoded) {
        let Some(lease) = lease else { return };
        match encoded {
            Ok(bytes) => lease.complete(bytes).await,
            Err(error) => {
                lease.fail();
                let policy = self.policy.name();
                tracing::warn!(policy, %error, "a value cannot be cached: it is not valid JSON");
            }
        }
    }
}

/// The bytes of a value, or of its absence.
type Encoded = Result<Option<Bytes>, serde_json::Error>;

fn encode<T: Serialize>(value: Option<&T>) -> Encoded {
    let bytes = value.map(serde_json::to_vec).transpose()?;
    Ok(bytes.map(Bytes::from))
}

/// Ends a failed load: with the expired value if there is one, else with the error.
fn failed<V, E>(lease: Option<CacheLease>, old: Option<V>, error: E) -> Result<V, E> {
    if let Some(lease) = lease {
        lease.fail();
    }
    old.ok_or(error)
}
