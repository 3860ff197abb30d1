//! The key cache of a node.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use doyen_core::sync;
use doyen_core::{Caller, Timestamp};

use super::InvalidKey;
use super::rows::KeyId;

/// Lifetime of an entry, and so the maximum time until a node notices that a key was revoked or its
/// owner disabled. Documented as one second.
const MAX_AGE: Duration = Duration::from_millis(800);
/// Maximum number of entries.
const MAX_KEYS: usize = 10_000;
/// Maximum number of addresses recorded for one key in a minute.
const MAX_ADDRESSES_PER_KEY: usize = 8;
/// Minimum time between two records of the same key and address.
const RECORD_INTERVAL: Duration = Duration::from_secs(60);

type Hash = [u8; 32];

/// The cache of a node. Only keys in the table are cached, so guesses use no memory.
#[derive(Default)]
pub(super) struct KeyCache {
    known: RwLock<HashMap<Hash, Arc<CachedKey>>>,
    reading: Mutex<HashMap<Hash, Arc<tokio::sync::Mutex<()>>>>,
}

/// A key as read from the database.
pub(super) struct CachedKey {
    pub(super) id: KeyId,
    pub(super) owner: Arc<str>,
    /// The caller, or why the key is invalid.
    pub(super) verdict: Result<Arc<Caller>, InvalidKey>,
    pub(super) expires_at: Option<Timestamp>,
    /// Time just before it was read.
    pub(super) read_at: Timestamp,
    pub(super) usage: Arc<UsageThrottle>,
}

impl CachedKey {
    /// Returns the caller, unless the key has expired.
    pub(super) fn caller(&self, now: Timestamp) -> Result<&Arc<Caller>, InvalidKey> {
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(InvalidKey::Expired);
        }
        self.verdict.as_ref().map_err(|invalid| *invalid)
    }
}

/// Limits how often the use of a key is recorded.
#[derive(Default)]
pub(super) struct UsageThrottle(Mutex<Vec<(Option<IpAddr>, Timestamp)>>);

impl UsageThrottle {
    /// Returns true if this use should be recorded: once a minute for each address, for a limited
    /// number of addresses.
    pub(super) fn should_record(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let mut recorded = sync::lock(&self.0);
        // Entries from the future are removed, in case the clock was set back.
        recorded.retain(|(_, at)| *at <= now && now.since(*at) < RECORD_INTERVAL);
        let news = recorded.len() < MAX_ADDRESSES_PER_KEY
            && recorded.iter().all(|(known, _)| *known != address);
        if news {
            recorded.push((address, now));
        }
        news
    }
}

impl KeyCache {
    /// Returns the fresh entry of a key.
    pub(super) fn get(&self, hash: &Hash, now: Timestamp) -> Option<Arc<CachedKey>> {
        let known = sync::read(&self.known);
        known
            .get(hash)
            .filter(|known| is_fresh(known, now))
            .cloned()
    }

    /// Returns the entry of a key, fresh or not.
    pub(super) fn stale(&self, hash: &Hash) -> Option<Arc<CachedKey>> {
        let known = sync::read(&self.known);
        known.get(hash).cloned()
    }

    /// Inserts an entry.
    pub(super) fn put(&self, hash: Hash, read: Arc<CachedKey>) {
        let mut known = sync::write(&self.known);
        if known.len() >= MAX_KEYS && !known.contains_key(&hash) {
            let now = read.read_at;
            known.retain(|_, known| is_fresh(known, now));
            if known.len() >= MAX_KEYS {
                known.clear();
            }
        }
        known.insert(hash, read);
    }

    /// Removes a key that is not in the table.
    pub(super) fn remove_hash(&self, hash: &Hash) {
        sync::write(&self.known).remove(hash);
    }

    /// Removes a key that this node has changed.
    pub(super) fn forget(&self, id: KeyId) {
        sync::write(&self.known).retain(|_, known| known.id != id);
    }

    /// Waits for the permit to read a key: of concurrent requests with the same key, one reads it.
    pub(super) async fn read_permit(&self, hash: &Hash) -> ReadPermit<'_> {
        let gate = {
            let mut reading = sync::lock(&self.reading);
            Arc::clone(reading.entry(*hash).or_default())
        };
        let entry = QueueEntry {
            cache: self,
            hash: *hash,
            gate: Arc::clone(&gate),
        };
        ReadPermit {
            _held: gate.lock_owned().await,
            _entry: entry,
        }
    }
}

fn is_fresh(known: &CachedKey, now: Timestamp) -> bool {
    known.read_at <= now && now.since(known.read_at) < MAX_AGE
}

/// The permit to read a key.
pub(super) struct ReadPermit<'a> {
    // Released before the entry is removed.
    _held: tokio::sync::OwnedMutexGuard<()>,
    _entry: QueueEntry<'a>,
}

/// An entry in the queue for a key. The last one removes the queue, also when it is cancelled.
struct QueueEntry<'a> {
    cache: &'a KeyCache,
    hash: Hash,
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        let mut reading = sync::lock(&self.cache.reading);
        // The map and this entry hold the only references: the queue is empty.
        if Arc::strong_count(&self.gate) <= 2 {
            reading.remove(&self.hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_795_336_200_000_000 + seconds * 1_000_000)
    }

    fn known(read_at: Timestamp) -> Arc<CachedKey> {
        Arc::new(CachedKey {
            id: KeyId::new(),
            owner: "usr_1".into(),
            verdict: Ok(Arc::new(Caller::new("usr_1"))),
            expires_at: None,
            read_at,
            usage: Arc::default(),
        })
    }

    fn hash(n: u32) -> Hash {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&n.to_le_bytes());
        hash
    }

    #[test]
    fn k1_a_cached_row_is_used_for_less_than_a_second() {
        let cache = KeyCache::default();
        cache.put(hash(1), known(at(0)));
        assert!(cache.get(&hash(1), at(0)).is_some());
        assert!(cache.get(&hash(1), at(0) + MAX_AGE / 2).is_some());
        assert!(cache.get(&hash(1), at(1)).is_none());
        // Nor if the clock was set back.
        assert!(cache.get(&hash(1), at(-1)).is_none());
    }

    #[test]
    fn k1_no_number_of_keys_fills_the_memory() {
        let cache = KeyCache::default();
        for n in 0..25_000 {
            cache.put(hash(n), known(at(i64::from(n / 5_000))));
        }
        assert!(cache.known.read().unwrap().len() <= MAX_KEYS);
    }

    #[tokio::test]
    async fn a_read_permit_is_removed_with_its_last_waiter() {
        let cache = KeyCache::default();
        {
            let first = cache.read_permit(&hash(1)).await;
            let one = hash(1);
            let second = Box::pin(cache.read_permit(&one));
            // It waits and is cancelled.
            let waiting = tokio::time::timeout(Duration::ZERO, second).await;
            assert!(waiting.is_err());
            assert_eq!(cache.reading.lock().unwrap().len(), 1);
            drop(first);
        }
        assert!(cache.reading.lock().unwrap().is_empty());
    }

    #[test]
    fn k1_a_use_is_recorded_once_a_minute_and_for_few_addresses() {
        let recorded = UsageThrottle::default();
        let address = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        assert!(recorded.should_record(address(1), at(0)));
        assert!(!recorded.should_record(address(1), at(59)));
        assert!(recorded.should_record(address(1), at(60)));
        let more = (2..100)
            .filter(|n| recorded.should_record(address(*n), at(60)))
            .count();
        assert_eq!(more, MAX_ADDRESSES_PER_KEY - 1);
    }
}
