//! How many requests are worked on at once.
//!
//! One more is told to come back, before anything is looked up for it: a server that takes more than it can do answers nobody in time.
//! Nothing waits in a queue here: that would only move the waiting from the client to us, and whoever gave up would be answered first.
//!
//! A request that waits for its own client to send the body is not worked on: else few slow clients would keep all others out. Their number
//! is bounded by that of connections and their time by that of a body. An answer that is sent piece by piece is not counted either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Requests that are worked on. Cloning shares it.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    now: Arc<AtomicUsize>,
    limit: usize,
    shed: Arc<AtomicU64>,
}

/// A request that is worked on: over when dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    load: Option<Load>,
}

/// A request that waits for its client: worked on again when dropped.
#[derive(Debug)]
pub(crate) struct Paused<'a>(&'a Slot);

impl Load {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            now: Arc::default(),
            limit,
            shed: Arc::default(),
        }
    }

    /// One more request; `None` when there are as many as there may be.
    pub(crate) fn enter(&self) -> Option<Slot> {
        if self.now.fetch_add(1, Ordering::Relaxed) >= self.limit {
            self.now.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Slot {
            load: Some(self.clone()),
        })
    }

    /// A request was refused for overload, here or elsewhere.
    pub(crate) fn note_shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests refused so far.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }
}

impl Slot {
    /// One that is not counted.
    pub(crate) const fn free() -> Self {
        Self { load: None }
    }

    /// Not counted until what this gives is dropped. Then it is counted again, whatever came meanwhile: it has begun.
    pub(crate) fn pause(&self) -> Paused<'_> {
        if let Some(load) = &self.load {
            load.now.fetch_sub(1, Ordering::Relaxed);
        }
        Paused(self)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        if let Some(load) = &self.0.load {
            load.now.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(load) = &self.load {
            load.now.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_again_when_one_is_done_or_waits_for_its_client() {
        let load = Load::new(2);
        let first = load.enter().unwrap();
        let second = load.enter().unwrap();
        assert!(load.enter().is_none() && load.enter().is_none());
        drop(second);
        let second = load.enter().unwrap();
        let waits = first.pause();
        let third = load.enter().unwrap();
        drop(waits);
        assert!(load.enter().is_none());
        drop((second, third));
        assert!(load.enter().is_some());
        drop(first);
        assert_eq!(load.now.load(Ordering::Relaxed), 0);
    }
}
