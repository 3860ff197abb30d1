//! Counts of requests with a key.

use std::sync::atomic::{AtomicU64, Ordering};

use doyen_app::{Family, Samples};

const REQUESTS: &str = "idempotency_requests_total";

pub(crate) const FAMILIES: &[Family] = &[Family::counter(
    REQUESTS,
    "Requests with an idempotency key: first, replayed, in_flight, reused, superseded.",
)
.labels(&["outcome"])];

/// What became of requests with a key.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) first: AtomicU64,
    pub(crate) replayed: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) reused: AtomicU64,
    /// Rolled back, because another request had succeeded with the key.
    pub(crate) superseded: AtomicU64,
}

impl Counts {
    pub(crate) fn collect(&self, samples: &mut Samples) {
        let counts = [
            ("first", &self.first),
            ("replayed", &self.replayed),
            ("in_flight", &self.in_flight),
            ("reused", &self.reused),
            ("superseded", &self.superseded),
        ];
        for (outcome, count) in counts {
            samples.value(
                REQUESTS,
                &[("outcome", outcome)],
                count.load(Ordering::Relaxed),
            );
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
