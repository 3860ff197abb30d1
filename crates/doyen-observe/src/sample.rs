//! Limits the number of lines of one kind per second.
//!
//! A client that is refused must not be able to fill the disk. Of each kind, the first lines in a
//! second are written and the rest are counted; one line a second reports them. A kind is the
//! location in the code, or status and problem of a refused request, so there are at most a few
//! hundred.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use doyen_core::sync;

const WINDOW: Duration = Duration::from_secs(1);

/// Counts lines by kind.
pub(crate) struct Sampler {
    limit: u32,
    hasher: RandomState,
    kinds: Mutex<HashMap<u64, Window>>,
}

/// The lines of one kind in the current second.
struct Window {
    kind: String,
    since: Instant,
    written: u32,
    left_out: u64,
}

/// Lines of a kind that were not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(crate) kind: String,
    pub(crate) lines: u64,
}

impl Sampler {
    /// Creates a sampler that admits this number of lines of a kind per second.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            hasher: RandomState::new(),
            kinds: Mutex::default(),
        }
    }

    /// True if a line of this kind may be written now.
    pub(crate) fn admits(&self, key: impl Hash, kind: impl FnOnce() -> String) -> bool {
        let key = self.hasher.hash_one(key);
        let mut kinds = self.lock();
        let window = kinds.entry(key).or_insert_with(|| Window {
            kind: kind(),
            since: Instant::now(),
            written: 0,
            left_out: 0,
        });
        if window.written < self.limit {
            window.written += 1;
            return true;
        }
        // Lines left out before are reported first, by `take_left_out`.
        if window.left_out == 0 && window.since.elapsed() >= WINDOW {
            window.since = Instant::now();
            window.written = 1;
            return true;
        }
        window.left_out += 1;
        false
    }

    /// Returns the lines left out in past seconds, or so far if `now`. Each is returned once.
    pub(crate) fn take_left_out(&self, now: bool) -> Vec<LeftOut> {
        let mut report = Vec::new();
        for window in self.lock().values_mut() {
            if window.left_out > 0 && (now || window.since.elapsed() >= WINDOW) {
                report.push(LeftOut {
                    kind: window.kind.clone(),
                    lines: window.left_out,
                });
                window.since = Instant::now();
                window.written = 0;
                window.left_out = 0;
            }
        }
        report
    }

    /// True if a left-out line is not reported yet.
    pub(crate) fn has_left_out(&self) -> bool {
        self.lock().values().any(|window| window.left_out > 0)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Window>> {
        sync::lock(&self.kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(kind: &str, lines: u64) -> LeftOut {
        LeftOut {
            kind: kind.to_owned(),
            lines,
        }
    }

    /// Moves the start of every window back by a second.
    fn a_second_passes(sampler: &Sampler) {
        for window in sampler.lock().values_mut() {
            window.since -= WINDOW;
        }
    }

    #[test]
    fn the_first_of_a_kind_are_written_and_the_rest_counted() {
        let sampler = Sampler::new(3);
        let admitted = |kind: &str| sampler.admits(kind, || kind.to_owned());
        assert_eq!((0..10).filter(|_| admitted("a")).count(), 3);
        assert!(admitted("b"), "another kind has a count of its own");
        assert!(sampler.has_left_out());
        assert_eq!(sampler.take_left_out(false), [], "the second is not over");
        a_second_passes(&sampler);
        assert_eq!(sampler.take_left_out(false), [left_out("a", 7)]);
        assert!(!sampler.has_left_out());
        assert_eq!((0..10).filter(|_| admitted("a")).count(), 3);
        assert_eq!(sampler.take_left_out(true), [left_out("a", 7)]);
    }

    #[test]
    fn a_kind_that_stays_below_is_never_sampled() {
        let sampler = Sampler::new(3);
        for _ in 0..10 {
            assert_eq!((0..3).filter(|_| sampler.admits(1, String::new)).count(), 3);
            a_second_passes(&sampler);
        }
        assert!(!sampler.has_left_out());
    }
}
