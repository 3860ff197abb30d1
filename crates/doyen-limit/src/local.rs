//! Rate limits in memory, for one process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash as _, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use doyen_core::Clock;
use doyen_core::limit::{Charge, Decision, Limiter, MAX_CHARGES, Verdict};
use doyen_core::sync::lock;

use crate::gcra::{self, Reading};

/// Number of shards. Each has its own lock, so threads rarely contend.
const SHARDS: usize = 64;

/// Counts calls in the memory of this process.
///
/// The number of buckets is bounded; each takes 16 bytes. Beyond the bound, the fullest buckets are
/// dropped first. A client that uses millions of addresses displaces its own buckets, not those of
/// callers that have used up their limit.
pub struct Local {
    shards: Box<[Mutex<Shard>]>,
    key: RandomState,
    most: usize,
    clock: Arc<dyn Clock>,
}

/// The time at which a bucket is full again, by the hash of its name.
type Shard = HashMap<u64, i64, BuildHasherDefault<IdentityHasher>>;

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local")
            .field("buckets", &self.len())
            .finish_non_exhaustive()
    }
}

impl Local {
    /// Creates a limiter with this clock and this maximum number of buckets.
    pub fn new(clock: Arc<dyn Clock>, buckets: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            key: RandomState::new(),
            most: (buckets / SHARDS).max(8),
            clock,
        }
    }

    /// Returns the number of buckets.
    pub fn len(&self) -> usize {
        let held = |shard: &Mutex<Shard>| lock(shard).len();
        self.shards.iter().map(held).sum()
    }

    /// True if there are no buckets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Decides the calls of a request.
    pub fn decide(&self, charges: &[Charge<'_>]) -> Verdict {
        let now = self.clock.now().micros();
        match charges {
            [charge] => self.one(charge, now),
            _ => self.several(charges, now),
        }
    }

    /// The usual case: one policy, one lock.
    fn one(&self, charge: &Charge<'_>, now: i64) -> Verdict {
        let hash = self.hash(charge);
        let mut shard = lock(&self.shards[place(hash)]);
        let full_at = gcra::settle(shard.get(&hash).copied(), now, charge.bucket.tolerance);
        let reading = match gcra::call(full_at, now, charge) {
            Ok(after) => {
                self.keep(&mut shard, hash, after, now);
                Reading {
                    level: after - now,
                    wait: 0,
                }
            }
            Err(wait) => Reading {
                level: full_at - now,
                wait,
            },
        };
        drop(shard);
        gcra::verdict(std::slice::from_ref(charge), &[reading])
    }

    /// Locks every shard before reading any, in their order, so that two requests cannot deadlock.
    fn several(&self, charges: &[Charge<'_>], now: i64) -> Verdict {
        let count = charges.len().min(MAX_CHARGES);
        let charges = &charges[..count];
        let mut hashes = [0; MAX_CHARGES];
        let mut places = [usize::MAX; MAX_CHARGES];
        for (at, charge) in charges.iter().enumerate() {
            hashes[at] = self.hash(charge);
            places[at] = place(hashes[at]);
        }
        let mut order = places;
        order[..count].sort_unstable();
        let mut guards: [Option<(usize, MutexGuard<'_, Shard>)>; MAX_CHARGES] = Default::default();
        let mut held = 0;
        for at in 0..count {
            if at == 0 || order[at] != order[at - 1] {
                guards[held] = Some((order[at], lock(&self.shards[order[at]])));
                held += 1;
            }
        }
        let mut readings = [Reading { level: 0, wait: 0 }; MAX_CHARGES];
        let mut after = [0; MAX_CHARGES];
        let mut allowed = true;
        for at in 0..count {
            let bucket = charges[at].bucket;
            let known =
                find(&mut guards, places[at]).and_then(|shard| shard.get(&hashes[at]).copied());
            // A request with the same bucket twice is counted twice.
            let before = (0..at).rev().find(|before| hashes[*before] == hashes[at]);
            let known = before.map(|before| after[before]).or(known);
            let full_at = gcra::settle(known, now, bucket.tolerance);
            readings[at].level = full_at - now;
            match gcra::call(full_at, now, &charges[at]) {
                Ok(next) => after[at] = next,
                Err(wait) => {
                    after[at] = full_at;
                    readings[at].wait = wait;
                    allowed = false;
                }
            }
        }
        if allowed {
            for at in 0..count {
                readings[at].level = after[at] - now;
                if let Some(shard) = find(&mut guards, places[at]) {
                    self.keep(shard, hashes[at], after[at], now);
                }
            }
        }
        drop(guards);
        gcra::verdict(charges, &readings[..count])
    }

    fn keep(&self, shard: &mut Shard, hash: u64, full_at: i64, now: i64) {
        if shard.len() >= self.most && !shard.contains_key(&hash) {
            make_room(shard, self.most, now);
        }
        shard.insert(hash, full_at);
    }

    /// The key of the hash is random for each process, so that an attacker cannot find two callers
    /// that share a bucket.
    fn hash(&self, charge: &Charge<'_>) -> u64 {
        let mut hasher = self.key.build_hasher();
        let (kind, bytes) = charge.who.parts();
        charge.bucket.id.hash(&mut hasher);
        hasher.write_u8(kind);
        hasher.write(bytes);
        hasher.finish()
    }
}

impl Limiter for Local {
    fn charge<'a>(&'a self, charges: &'a [Charge<'a>]) -> Decision<'a, Verdict> {
        Decision::Now(self.decide(charges))
    }
}

/// Drops full buckets. If that frees too few, drops an eighth of the others, the fullest first, so
/// that the cost per new bucket stays small.
fn make_room(shard: &mut Shard, most: usize, now: i64) {
    shard.retain(|_, full_at| *full_at > now);
    let room = (most / 8).max(1);
    if shard.len() + room <= most {
        return;
    }
    let mut times: Vec<i64> = shard.values().copied().collect();
    let go = room.min(times.len() - 1);
    let (_, last, _) = times.select_nth_unstable(go);
    let last = *last;
    let mut left = go;
    shard.retain(|_, full_at| {
        let goes = *full_at < last || (*full_at == last && left > 0);
        left = left.saturating_sub(usize::from(goes));
        !goes
    });
}

fn find<'g>(
    guards: &'g mut [Option<(usize, MutexGuard<'_, Shard>)>],
    place: usize,
) -> Option<&'g mut Shard> {
    guards
        .iter_mut()
        .flatten()
        .find(|(held, _)| *held == place)
        .map(|(_, shard)| &mut **shard)
}

/// The hash table uses the first and the last bits, so the shard uses bits in between.
fn place(hash: u64) -> usize {
    usize::from(u8::try_from((hash >> 32) & 0xff).unwrap_or(0)) % SHARDS
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
