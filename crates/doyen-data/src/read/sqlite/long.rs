//! Which statements take long: a memory of their texts.
//!
//! One that was met is run on a thread. Now and then it is tried inline again, for a table may have been cold, or the question a rare one; each
//! time it still takes long, the next try is twice as far away. How long a statement takes depends on its parameters too, so this is a guess
//! that costs little when it is wrong: one budget of steps, or one trip to a thread.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use doyen_core::sync;

/// Texts remembered. Beyond that all are forgotten, and those that matter come back.
const TEXTS: usize = 256;

/// Runs on a thread before the first try inline.
const PAUSE: u32 = 64;

/// The longest pause between two tries.
const LONGEST_PAUSE: u32 = 4_096;

/// A run that was slow, but not in steps, is slow twice within so many runs before it counts: once it may be the machine's fault.
const PROBATION: u32 = 16;

#[derive(Default)]
pub(super) struct Long {
    known: Mutex<HashMap<u64, Known>>,
    // Most services have none of them: then no text is hashed.
    any: AtomicBool,
    hasher: RandomState,
}

#[derive(Clone, Copy)]
enum Known {
    /// Was slow once; so many runs more and it is forgotten.
    Suspect(u32),
    /// Goes to a thread so many times more. The pause it has come to is remembered, also while it is tried (`left` is zero then).
    Long { left: u32, pause: u32 },
}

impl Long {
    /// Whether to try it inline.
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
            Some(Known::Long { left, .. }) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
        };
        self.any.store(!known.is_empty(), Ordering::Relaxed);
        inline
    }

    /// It was done inline, and soon.
    pub(super) fn was_quick(&self, sql: &str) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let key = self.hasher.hash_one(sql);
        let mut known = self.known();
        if let Some(Known::Long { .. }) = known.get(&key) {
            known.remove(&key);
        }
        self.any.store(!known.is_empty(), Ordering::Relaxed);
    }

    /// It was done inline within its steps, but took too long.
    pub(super) fn was_slow(&self, sql: &str) {
        let key = self.hasher.hash_one(sql);
        let seen = self.known().get(&key).copied();
        match seen {
            None => self.remember(key, Known::Suspect(PROBATION)),
            Some(_) => self.went_long(key, seen),
        }
    }

    /// It used up its steps.
    pub(super) fn was_long(&self, sql: &str) {
        let key = self.hasher.hash_one(sql);
        let seen = self.known().get(&key).copied();
        self.went_long(key, seen);
    }

    fn went_long(&self, key: u64, seen: Option<Known>) {
        let pause = match seen {
            Some(Known::Long { pause, .. }) => (pause * 2).min(LONGEST_PAUSE),
            _ => PAUSE,
        };
        self.remember(key, Known::Long { left: pause, pause });
    }

    fn remember(&self, key: u64, what: Known) {
        let mut known = self.known();
        if known.len() >= TEXTS && !known.contains_key(&key) {
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

    /// Runs until it is tried inline, that one included.
    fn runs_until_inline(long: &Long, sql: &str) -> u32 {
        (1..)
            .find(|_| long.try_inline(sql))
            .expect("it is tried some time")
    }

    #[test]
    fn a_long_one_goes_to_a_thread_and_is_tried_ever_more_rarely() {
        let long = Long::default();
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
        let long = Long::default();
        long.was_long("a");
        assert_eq!(runs_until_inline(&long, "a"), PAUSE);
        long.was_quick("a");
        assert!(long.try_inline("a") && long.try_inline("a"));
        assert!(!long.any.load(Ordering::Relaxed));
    }

    #[test]
    fn a_slow_one_is_given_a_second_chance() {
        let long = Long::default();
        long.was_slow("a");
        assert!(long.try_inline("a"));
        long.was_quick("a");
        assert!(long.try_inline("a"));
        long.was_slow("a");
        assert!(!long.try_inline("a"));

        long.was_slow("b");
        for _ in 0..PROBATION {
            assert!(long.try_inline("b"));
        }
        long.was_slow("b");
        assert!(long.try_inline("b"), "the first time is long ago");
    }

    #[test]
    fn the_memory_is_bounded() {
        let long = Long::default();
        for i in 0..10_000 {
            long.was_long(&i.to_string());
        }
        assert!(long.known().len() <= TEXTS);
    }
}
