//! The work that has ended last. Its number and its memory are bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync::lock;
use doyen_core::{RequestId, Timestamp, TraceContext};
use doyen_observe::steps::{KeptSteps, Text, Value};
use tracing::Level;

/// Maximum memory of all that is kept.
const MAX_BYTES: usize = 8 << 20;

/// The work that has ended last.
#[derive(Debug)]
pub(crate) struct Recent {
    max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    work: VecDeque<Arc<Work>>,
    bytes: usize,
    /// The number of the newest.
    last: u64,
}

/// Work that has ended.
#[derive(Debug)]
pub(crate) struct Work {
    /// Counts from 1 in each process.
    pub(crate) number: u64,
    /// `request`, `job`, `event` or `message`.
    pub(crate) kind: &'static str,
    /// `GET /books/{id}`, the name of the job, the topic, the channel.
    pub(crate) name: Text,
    pub(crate) request_id: RequestId,
    pub(crate) trace: TraceContext,
    pub(crate) at: Timestamp,
    pub(crate) started: Instant,
    pub(crate) time: Duration,
    pub(crate) error: Option<Text>,
    /// Only of a request.
    pub(crate) status: Option<u16>,
    pub(crate) facts: Vec<(&'static str, Value)>,
    pub(crate) steps: KeptSteps,
    pub(crate) lines: Vec<Line>,
}

/// A line that it logged.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) at: Instant,
    pub(crate) level: Level,
    pub(crate) text: Text,
}

impl Work {
    fn bytes(&self) -> usize {
        let lines = self.lines.iter().map(|line| line.text.bytes());
        size_of::<Self>()
            + self.name.bytes()
            + self.error.as_ref().map_or(0, Text::bytes)
            + doyen_observe::steps::bytes_of(&self.facts)
            + self.steps.bytes
            + size_of_val(&*self.lines)
            + lines.sum::<usize>()
    }
}

impl Recent {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            kept: Mutex::default(),
        }
    }

    /// Returns how many are kept at most; 0 if nothing is recorded.
    pub(crate) const fn max(&self) -> usize {
        self.max
    }

    /// Adds work, and drops the oldest if there is no room for it.
    pub(crate) fn add(&self, mut work: Work) {
        let bytes = work.bytes();
        let mut kept = lock(&self.kept);
        kept.last += 1;
        work.number = kept.last;
        kept.work.push_back(Arc::new(work));
        kept.bytes += bytes;
        while kept.work.len() > self.max || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.work.pop_front() else {
                break;
            };
            kept.bytes -= oldest.bytes();
        }
    }

    /// Returns the number of the newest, and the work for which this is true, the oldest first.
    pub(crate) fn select(&self, is_wanted: impl Fn(&Work) -> bool) -> (u64, Vec<Arc<Work>>) {
        let kept = lock(&self.kept);
        let wanted = kept.work.iter().filter(|work| is_wanted(work));
        (kept.last, wanted.map(Arc::clone).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(name: &str) -> Work {
        Work {
            number: 0,
            kind: "job",
            name: Text::copy(name),
            request_id: RequestId::new(),
            trace: TraceContext::start(false),
            at: Timestamp::from_micros(0),
            started: Instant::now(),
            time: Duration::ZERO,
            error: None,
            status: None,
            facts: Vec::new(),
            steps: KeptSteps::default(),
            lines: Vec::new(),
        }
    }

    #[test]
    fn the_oldest_is_dropped() {
        let recent = Recent::new(3);
        for name in ["a", "b", "c", "d", "e"] {
            recent.add(work(name));
        }
        let (last, kept) = recent.select(|_| true);
        let kept: Vec<_> = kept
            .iter()
            .map(|one| (one.number, one.name.as_str()))
            .collect();
        assert_eq!((last, kept), (5, vec![(3, "c"), (4, "d"), (5, "e")]));
    }

    #[test]
    fn the_memory_is_bounded() {
        let recent = Recent::new(usize::MAX);
        for _ in 0..200 {
            let mut large = work("large");
            large.steps.bytes = 64 << 10;
            recent.add(large);
        }
        let (last, kept) = recent.select(|_| true);
        assert_eq!(last, 200);
        assert!((120..128).contains(&kept.len()), "{}", kept.len());
    }
}
