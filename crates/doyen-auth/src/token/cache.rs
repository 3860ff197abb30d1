//! The cache of verified tokens.
//!
//! Only verified tokens are stored, so an attacker cannot fill the cache with garbage. The size is
//! bounded by two generations: when the young half of a shard is full it becomes the old half, and
//! the previous old half is dropped. A hit in the old half moves the entry to the young one.
//!
//! The key of an entry is a keyed hash of the token (SipHash-1-3, 128 bits, a random key for each
//! process). A copy of the memory holds no tokens, and an attacker cannot choose a token that
//! collides with another.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex};

use doyen_core::sync;
use siphasher::sip128::SipHasher13;

use super::Claims;

/// Number of shards, each with a lock.
const SHARDS: usize = 16;
/// Entries in one half of a shard: at most 2 × 16 × 512 tokens are cached, about 6 MiB.
const HALF_CAPACITY: usize = 512;

pub(super) type Key = [u8; 16];

pub(super) struct Cache {
    hasher: SipHasher13,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    young: HashMap<Key, Arc<Claims>>,
    old: HashMap<Key, Arc<Claims>>,
}

impl Cache {
    /// Creates an empty cache with a random hash key, from the same source as that of the standard
    /// library's hash maps.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            hasher: SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1)),
            shards: Default::default(),
        }
    }

    pub(super) fn key(&self, token: &str) -> Key {
        self.hasher.hash(token.as_bytes()).as_bytes()
    }

    /// Returns the contents of a token. The caller checks the time, which may have passed since.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Claims>> {
        let mut shard = sync::lock(self.shard(key));
        if let Some(claims) = shard.young.get(key) {
            return Some(Arc::clone(claims));
        }
        let claims = shard.old.remove(key)?;
        shard.put(*key, Arc::clone(&claims));
        Some(claims)
    }

    pub(super) fn put(&self, key: Key, claims: Arc<Claims>) {
        sync::lock(self.shard(&key)).put(key, claims);
    }

    /// Returns the names of those of these keys that have entries.
    pub(super) fn only(&self, keep: impl Fn(&Claims) -> bool) -> Self {
        let kept = |half: &HashMap<Key, Arc<Claims>>| {
            half.iter()
                .filter(|(_, claims)| keep(claims))
                .map(|(key, claims)| (*key, Arc::clone(claims)))
                .collect()
        };
        let shards = self.shards.each_ref().map(|shard| {
            let shard = sync::lock(shard);
            Mutex::new(Shard {
                young: kept(&shard.young),
                old: kept(&shard.old),
            })
        });
        Self {
            hasher: self.hasher,
            shards,
        }
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        &self.shards[usize::from(key[0]) % SHARDS]
    }
}

impl Shard {
    fn put(&mut self, key: Key, claims: Arc<Claims>) {
        if self.young.len() >= HALF_CAPACITY {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, claims);
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::{Caller, Timestamp};

    use super::*;

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let zero = Timestamp::from_micros(0);
        let claims = Arc::new(Claims {
            caller: Arc::new(Caller::new("u")),
            id: "i".into(),
            issued_at: zero,
            expires_at: zero,
            not_before: None,
            last_use: crate::token::LastUse::at(Timestamp::from_micros(0)),
            key: "k".into(),
        });
        let cache = Cache::new();
        let used = cache.key("used");
        cache.put(used, Arc::clone(&claims));
        for n in 0..100_000 {
            cache.put(cache.key(&n.to_string()), Arc::clone(&claims));
            assert!(cache.get(&used).is_some(), "after {n}");
        }
        let size: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap())
            .map(|shard| shard.young.len() + shard.old.len())
            .sum();
        assert!(size <= 2 * SHARDS * HALF_CAPACITY, "{size}");
        assert!(cache.get(&cache.key("0")).is_none());
    }
}
