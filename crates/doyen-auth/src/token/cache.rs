//! The tokens that were verified already.
//!
//! Only tokens with a good signature come in, so nobody can fill it with rubbish. It is bounded: when the young half of a shard is full it
//! becomes the old half, and the old one is forgotten; what is used moves back to the young half. A token is kept as its SHA-256, so that
//! a copy of the memory holds no tokens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};

use super::Claims;

/// Locks that do not get into each other's way.
const SHARDS: usize = 16;
/// Entries in one half of a shard: at most 2 × 16 × 512 tokens are remembered, about 6 MiB.
const HALF: usize = 512;

pub(super) type Key = [u8; 32];

#[derive(Default)]
pub(super) struct Cache {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    young: HashMap<Key, Arc<Claims>>,
    old: HashMap<Key, Arc<Claims>>,
}

impl Cache {
    pub(super) fn key(token: &str) -> Key {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        key
    }

    /// What the token says. The caller checks the time: it goes on while an entry lies here.
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Claims>> {
        let mut shard = self
            .shard(key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(claims) = shard.young.get(key) {
            return Some(Arc::clone(claims));
        }
        let claims = shard.old.remove(key)?;
        shard.put(*key, Arc::clone(&claims));
        Some(claims)
    }

    pub(super) fn put(&self, key: Key, claims: Arc<Claims>) {
        self.shard(&key)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .put(key, claims);
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        &self.shards[usize::from(key[0]) % SHARDS]
    }
}

impl Shard {
    fn put(&mut self, key: Key, claims: Arc<Claims>) {
        if self.young.len() >= HALF {
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
            caller: Caller::new("u"),
            id: "i".into(),
            issued_at: zero,
            expires_at: zero,
            not_before: None,
        });
        let cache = Cache::default();
        let used = Cache::key("used");
        cache.put(used, Arc::clone(&claims));
        for n in 0..100_000 {
            cache.put(Cache::key(&n.to_string()), Arc::clone(&claims));
            assert!(cache.get(&used).is_some(), "after {n}");
        }
        let size: usize = cache
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap())
            .map(|shard| shard.young.len() + shard.old.len())
            .sum();
        assert!(size <= 2 * SHARDS * HALF, "{size}");
        assert!(cache.get(&Cache::key("0")).is_none());
    }
}
