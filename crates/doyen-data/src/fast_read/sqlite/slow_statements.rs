//! Remembers which statements are slow.
//!
//! A slow statement runs on a thread. Now and then it is tried inline again, because the cache may
//! have been cold. Each time it is still slow, the pause until the next try doubles. The time
//! depends on the parameters too, so this is a guess; a wrong one costs one budget of steps or one
//! trip to a thread.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use doyen_core::sync;

/// Maximum number of texts. Beyond it all are removed, and the slow ones return.
const MAX_STATEMENTS: usize = 256;

/// Runs on a thread before the first try inline.
const MIN_RETRY_RUNS: u32 = 64;

/// Maximum number of runs between two tries.
const MAX_RETRY_RUNS: u32 = 4_096;

/// A text that was slow within its steps must be slow twice within this many runs, because the
/// machine may have been busy.
const PROBATION_RUNS: u32 = 16;

#[derive(Default)]
pub(super) struct SlowStatements {
    known: Mutex<HashMap<u64, Known>>,
    // Most services have no slow text: then none is hashed.
    any: AtomicBool,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
enum Known {
    /// Was slow once. Removed after this many further runs.
    Suspect(u32),
    /// Runs on a thread `left` more times. The current pause is kept during a try (`left` is zero).
    Slow { left: u32, pause: u32 },
}

impl SlowStatements {
    /// Returns true if the statement should be tried inline.
    pub(super) fn try_inline(&self, sql: &str) -> bool {
        if !self.any.load(Ordering::Relaxed) {
            return true;
        }
        let key = self.hasher.hash_one(sql);
        let mut known = self.known();
        let inline = match known.get_mut(&key) {
            None => true,
            Some(Known::Suspect(left)) => {
                *left -= 1;
                if *left == 0 {
                    known.remove(&key);
                }
                true
            }
            Some(Known::Slow { left, .. }) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        };
        self.any.store(!known.is_empty(), Ordering::Relaxed);
        inline
    }

    /// Records an inline run that was fast.
    pub(super) fn was_quick(&self, sql: &str) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let key = self.hasher.hash_one(sql);
        let mut known = self.known();
        if let Some(Known::Slow { .. }) = known.get(&key) {
            known.remove(&key);
        }
        self.any.store(!known.is_empty(), Ordering::Relaxed);
    }

    /// Records an inline run that used few steps but much time.
    pub(super) fn was_slow(&self, sql: &str) {
        let key = self.hasher.hash_one(sql);
        let seen = self.known().get(&key).copied();
        match seen {
            None => self.remember(key, Known::Suspect(PROBATION_RUNS)),
            Some(_) => self.went_long(key, seen),
        }
    }

    /// Records an inline run that used up its steps.
    pub(super) fn was_long(&self, sql: &str) {
        let key = self.hasher.hash_one(sql);
        let seen = self.known().get(&key).copied();
        self.went_long(key, seen);
    }

    fn went_long(&self, key: u64, seen: Option<Known>) {
        let pause = match seen {
            Some(Known::Slow { pause, .. }) => (pause * 2).min(MAX_RETRY_RUNS),
            _ => MIN_RETRY_RUNS,
        };
        self.remember(key, Known::Slow { left: pause, pause });
    }

    fn remember(&self, key: u64, what: Known) {
        let mut known = self.known();
        if known.len() >= MAX_STATEMENTS && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, what);
        self.any.store(true, Ordering::Relaxed);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Known>> {
        sync::lock(&self.known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the runs until the statement is tried inline, including that one.
    fn runs_until_inline(long: &SlowStatements, sql: &str) -> u32 {
        (1..)
            .find(|_| long.try_inline(sql))
            .expect("it is tried some time")
    }

    #[test]
    fn a_long_statement_moves_to_a_thread_and_is_retried_less_often() {
        let long = SlowStatements::default();
        assert!(long.try_inline("a"));
        long.was_long("a");
        assert!(long.try_inline("b"), "another text is not concerned");
        for pause in [64, 128, 256, 512, 1024, 2048, 4096, 4096] {
            assert_eq!(runs_until_inline(&long, "a"), pause);
            long.was_long("a");
        }
    }

    #[test]
    fn one_that_recovered_is_forgotten() {
        let long = SlowStatements::default();
        long.was_long("a");
        assert_eq!(runs_until_inline(&long, "a"), MIN_RETRY_RUNS);
        long.was_quick("a");
        assert!(long.try_inline("a") && long.try_inline("a"));
        assert!(!long.any.load(Ordering::Relaxed));
    }

    #[test]
    fn a_slow_one_is_given_a_second_chance() {
        let long = SlowStatements::default();
        long.was_slow("a");
        assert!(long.try_inline("a"));
        long.was_quick("a");
        assert!(long.try_inline("a"));
        long.was_slow("a");
        assert!(!long.try_inline("a"));

        long.was_slow("b");
        for _ in 0..PROBATION_RUNS {
            assert!(long.try_inline("b"));
        }
        long.was_slow("b");
        assert!(long.try_inline("b"), "the first time is long ago");
    }

    #[test]
    fn the_memory_is_bounded() {
        let long = SlowStatements::default();
        for i in 0..10_000 {
            long.was_long(&i.to_string());
        }
        assert!(long.known().len() <= MAX_STATEMENTS);
    }
}
