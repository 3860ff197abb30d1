//! The state of a graceful shutdown.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the service is shutting down. Injectable as `Arc<Drain>`.
#[derive(Debug, Default)]
pub struct Drain(AtomicBool);

impl Drain {
    /// Starts the drain: the service still handles requests, but reports that it is not ready.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// True once the drain has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
