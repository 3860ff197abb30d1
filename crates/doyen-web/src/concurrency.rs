//! The limit of concurrent requests.
//!
//! Further requests get a 503 before any lookup: a server that accepts more than it can handle
//! responds to none of them in time. There is no queue, which would only move the waiting into the
//! server and then handle requests whose clients have given up.
//!
//! A request that waits for its client to send the body does not count, otherwise a few slow
//! clients could lock out all others. Their number is bounded by the connections, and their time by
//! the body timeout. A response that is streamed does not count either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts the requests that are being handled. Cloning shares the counter.
#[derive(Clone, Debug)]
pub(crate) struct ConcurrencyLimit {
    current: Arc<AtomicUsize>,
    max: usize,
    shed: Arc<AtomicU64>,
}

/// A request that is being handled, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limit: Option<ConcurrencyLimit>,
}

/// A request that waits for its client, until it is dropped.
#[derive(Debug)]
pub(crate) struct PausedPermit(Option<ConcurrencyLimit>);

impl ConcurrencyLimit {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            current: Arc::default(),
            max,
            shed: Arc::default(),
        }
    }

    /// Admits a request, or returns `None` at the limit.
    pub(crate) fn acquire(&self) -> Option<Permit> {
        if self.current.fetch_add(1, Ordering::Relaxed) >= self.max {
            self.current.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Permit {
            limit: Some(self.clone()),
        })
    }

    /// Counts a request that was rejected because of overload, here or elsewhere.
    pub(crate) fn note_shed(&self) {
        self.shed.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of requests that are being handled.
    pub(crate) fn current(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Returns the number of requests rejected so far.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Ordering::Relaxed)
    }
}

impl Permit {
    /// Creates a permit that does not count.
    pub(crate) const fn uncounted() -> Self {
        Self { limit: None }
    }

    /// Stops counting the request until the result is dropped. Then it counts again, even above the
    /// limit, because it is already being handled.
    pub(crate) fn pause(&self) -> PausedPermit {
        if let Some(limit) = &self.limit {
            limit.current.fetch_sub(1, Ordering::Relaxed);
        }
        PausedPermit(self.limit.clone())
    }
}

impl Drop for PausedPermit {
    fn drop(&mut self) {
        if let Some(limit) = &self.0 {
            limit.current.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(limit) = &self.limit {
            limit.current.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_ends_or_waits_for_its_client_admits_another() {
        let limit = ConcurrencyLimit::new(2);
        let first = limit.acquire().unwrap();
        let second = limit.acquire().unwrap();
        assert!(limit.acquire().is_none() && limit.acquire().is_none());
        drop(second);
        let second = limit.acquire().unwrap();
        let paused = first.pause();
        let third = limit.acquire().unwrap();
        drop(paused);
        assert!(limit.acquire().is_none());
        drop((second, third));
        assert!(limit.acquire().is_some());
        drop(first);
        assert_eq!(limit.current.load(Ordering::Relaxed), 0);
    }
}
