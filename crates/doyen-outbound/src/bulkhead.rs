//! The bulkhead of one client: a slow upstream cannot hold every worker of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds the concurrent and the waiting calls.
pub(crate) struct Bulkhead {
    running: Arc<Semaphore>,
    max_concurrent: usize,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// The place of one call. It is released when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Bulkhead {
    pub(crate) fn new(max_concurrent: u32, max_waiting: u32) -> Self {
        Self {
            running: Arc::new(Semaphore::new(max_concurrent as usize)),
            max_concurrent: max_concurrent as usize,
            waiting: AtomicUsize::new(0),
            max_waiting: max_waiting as usize,
        }
    }

    /// Waits for a place. Returns `None` at once if too many calls wait.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let running = Arc::clone(&self.running);
        if let Ok(permit) = running.try_acquire_owned() {
            return Some(Place { _permit: permit });
        }
        let _waiting = Waiting::begin(self)?;
        let permit = Arc::clone(&self.running).acquire_owned().await;
        // The semaphore is never closed.
        permit.ok().map(|permit| Place { _permit: permit })
    }

    pub(crate) fn running(&self) -> usize {
        self.max_concurrent - self.running.available_permits()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// A place in the queue, also given back by a call that is cancelled.
struct Waiting<'a>(&'a Bulkhead);

impl<'a> Waiting<'a> {
    fn begin(bulkhead: &'a Bulkhead) -> Option<Self> {
        let max = bulkhead.max_waiting;
        let next = |waiting| (waiting < max).then_some(waiting + 1);
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        bulkhead.waiting.fetch_update(set, get, next).ok()?;
        Some(Self(bulkhead))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
