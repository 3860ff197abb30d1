//! What a node remembers of keys: those it has seen, for a few seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use doyen_core::sync;
use doyen_core::{Caller, Timestamp};

use super::InvalidKey;
use super::rows::KeyId;

/// How long what was read of a key is believed: so soon does every node notice that it was revoked. Documented as five seconds.
const BELIEVED: Duration = Duration::from_secs(4);
/// How many keys are remembered at most.
const MOST: usize = 10_000;
/// How many addresses of one key are told in a minute.
const PLACES: usize = 8;
/// How often the use of a key from one address is told.
const TOLD_EVERY: Duration = Duration::from_secs(60);

type Hash = [u8; 32];

/// The keys a node knows. Only keys that are in the table get in, so guessing fills no memory.
#[derive(Default)]
pub(super) struct Cache {
    known: RwLock<HashMap<Hash, Arc<Known>>>,
    reading: Mutex<HashMap<Hash, Arc<tokio::sync::Mutex<()>>>>,
}

/// What was read of a key.
pub(super) struct Known {
    pub(super) id: KeyId,
    pub(super) owner: Arc<str>,
    /// Who comes with it, or why nobody does.
    pub(super) verdict: Result<Arc<Caller>, InvalidKey>,
    pub(super) expires_at: Option<Timestamp>,
    /// From before it was read.
    pub(super) read_at: Timestamp,
    pub(super) told: Arc<Told>,
}

impl Known {
    /// Who comes with the key now.
    pub(super) fn caller(&self, now: Timestamp) -> Result<&Arc<Caller>, InvalidKey> {
        if self.expires_at.is_some_and(|end| now >= end) {
            return Err(InvalidKey::Expired);
        }
        self.verdict.as_ref().map_err(|invalid| *invalid)
    }
}

/// What of the use of a key was handed on to be written.
#[derive(Default)]
pub(super) struct Told(Mutex<Vec<(Option<IpAddr>, Timestamp)>>);

impl Told {
    /// True when this use is worth writing: at most once a minute for each address, and not for many addresses.
    pub(super) fn is_news(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let mut told = sync::lock(&self.0);
        // A clock that was put back must not keep anything for ever.
        told.retain(|(_, at)| *at <= now && now.since(*at) < TOLD_EVERY);
        let news = told.len() < PLACES && told.iter().all(|(known, _)| *known != address);
        if news {
            told.push((address, now));
        }
        news
    }
}

impl Cache {
    /// What is known of a key and still believed.
    pub(super) fn get(&self, hash: &Hash, now: Timestamp) -> Option<Arc<Known>> {
        let known = sync::read(&self.known);
        known
            .get(hash)
            .filter(|known| is_believed(known, now))
            .cloned()
    }

    /// What was known of it, believed or not.
    pub(super) fn old(&self, hash: &Hash) -> Option<Arc<Known>> {
        let known = sync::read(&self.known);
        known.get(hash).cloned()
    }

    /// Remembers what was read.
    pub(super) fn put(&self, hash: Hash, read: Arc<Known>) {
        let mut known = sync::write(&self.known);
        if known.len() >= MOST && !known.contains_key(&hash) {
            let now = read.read_at;
            known.retain(|_, known| is_believed(known, now));
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(hash, read);
    }

    /// Forgets a key that is not in the table.
    pub(super) fn drop_hash(&self, hash: &Hash) {
        sync::write(&self.known).remove(hash);
    }

    /// Forgets a key: it was changed by this node.
    pub(super) fn forget(&self, id: KeyId) {
        sync::write(&self.known).retain(|_, known| known.id != id);
    }

    /// One turn for each key: of many requests that come with it at once, one reads it.
    pub(super) async fn turn(&self, hash: &Hash) -> Turn<'_> {
        let gate = {
            let mut reading = sync::lock(&self.reading);
            Arc::clone(reading.entry(*hash).or_default())
        };
        let place = Place {
            cache: self,
            hash: *hash,
            gate: Arc::clone(&gate),
        };
        Turn {
            _held: gate.lock_owned().await,
            _place: place,
        }
    }
}

fn is_believed(known: &Known, now: Timestamp) -> bool {
    known.read_at <= now && now.since(known.read_at) < BELIEVED
}

/// The right to read a key.
pub(super) struct Turn<'a> {
    // Given back before the place is left.
    _held: tokio::sync::OwnedMutexGuard<()>,
    _place: Place<'a>,
}

/// A place in the row before a key; the row goes with the last one in it, also when it gives up.
struct Place<'a> {
    cache: &'a Cache,
    hash: Hash,
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut reading = sync::lock(&self.cache.reading);
        // The list's and ours: nobody else stands there.
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

    fn known(read_at: Timestamp) -> Arc<Known> {
        Arc::new(Known {
            id: KeyId::new(),
            owner: "usr_1".into(),
            verdict: Ok(Arc::new(Caller::new("usr_1"))),
            expires_at: None,
            read_at,
            told: Arc::default(),
        })
    }

    fn hash(n: u32) -> Hash {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&n.to_le_bytes());
        hash
    }

    #[test]
    fn k1_what_was_read_is_believed_for_less_than_five_seconds() {
        let cache = Cache::default();
        cache.put(hash(1), known(at(0)));
        assert!(cache.get(&hash(1), at(0)).is_some());
        assert!(cache.get(&hash(1), at(3)).is_some());
        assert!(cache.get(&hash(1), at(4)).is_none());
        // Nor when the clock was put back.
        assert!(cache.get(&hash(1), at(-1)).is_none());
    }

    #[test]
    fn k1_no_number_of_keys_fills_the_memory() {
        let cache = Cache::default();
        for n in 0..25_000 {
            cache.put(hash(n), known(at(i64::from(n / 5_000))));
        }
        assert!(cache.known.read().unwrap().len() <= MOST);
    }

    #[tokio::test]
    async fn the_row_before_a_key_goes_with_the_last_one_in_it() {
        let cache = Cache::default();
        {
            let first = cache.turn(&hash(1)).await;
            let one = hash(1);
            let second = Box::pin(cache.turn(&one));
            // It waits and gives up.
            let waiting = tokio::time::timeout(Duration::ZERO, second).await;
            assert!(waiting.is_err());
            assert_eq!(cache.reading.lock().unwrap().len(), 1);
            drop(first);
        }
        assert!(cache.reading.lock().unwrap().is_empty());
    }

    #[test]
    fn k1_a_use_is_told_once_a_minute_and_not_from_everywhere() {
        let told = Told::default();
        let address = |n: u8| Some(IpAddr::from([192, 0, 2, n]));
        assert!(told.is_news(address(1), at(0)));
        assert!(!told.is_news(address(1), at(59)));
        assert!(told.is_news(address(1), at(60)));
        let more = (2..100)
            .filter(|n| told.is_news(address(*n), at(60)))
            .count();
        assert_eq!(more, PLACES - 1);
    }
}
