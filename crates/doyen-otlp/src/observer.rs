//! Chooses which traces are recorded, and which records are exported.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doyen_core::{Observation, ObservedWork, RequestObserver, TraceContext};

use crate::exemplars::Exemplars;
use crate::logs::Line;
use crate::queue::Queue;
use crate::record::{Finished, Record};

/// What all records share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What waits, of the signals that are exported.
    pub(crate) spans: Option<Arc<Queue<Finished>>>,
    pub(crate) lines: Option<Arc<Queue<Line>>>,
    /// Set if metrics are exported too.
    pub(crate) exemplars: Option<Arc<Exemplars>>,
    /// The sampled share of the trace ids, of 2^63.
    sampled: AtomicU64,
    pub(crate) slow: Duration,
}

impl Shared {
    pub(crate) fn new(
        spans: Option<Arc<Queue<Finished>>>,
        lines: Option<Arc<Queue<Line>>>,
        exemplars: Option<Arc<Exemplars>>,
        sample: f64,
        slow: Duration,
    ) -> Self {
        let shared = Self {
            spans,
            lines,
            exemplars,
            sampled: AtomicU64::new(0),
            slow,
        };
        shared.set_sample(sample);
        shared
    }

    /// Sets the share of the traces that are sampled, from 0 to 1.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the share is between 0 and 2^63"
    )]
    pub(crate) fn set_sample(&self, sample: f64) {
        let share = (sample.clamp(0.0, 1.0) * (1u64 << 63) as f64) as u64;
        self.sampled.store(share, Ordering::Relaxed);
    }

    /// Returns the share of the traces that are sampled.
    #[allow(clippy::cast_precision_loss, reason = "the share was a float")]
    pub(crate) fn sample(&self) -> f64 {
        self.sampled.load(Ordering::Relaxed) as f64 / (1u64 << 63) as f64
    }

    /// True if a trace that begins here is sampled: the rule `TraceIdRatioBased` of OpenTelemetry,
    /// so that services with the same share agree.
    fn is_sampled(&self, trace: &TraceContext) -> bool {
        let low = trace.trace_id().get(16..).unwrap_or_default();
        let number = u64::from_str_radix(low, 16).unwrap_or_default() >> 1;
        number < self.sampled.load(Ordering::Relaxed)
    }
}

/// Observes all work: only its end shows whether it is exported.
#[derive(Debug)]
pub(crate) struct Observer(pub(crate) Arc<Shared>);

impl RequestObserver for Observer {
    fn observe(&self, work: &ObservedWork<'_>) -> Option<Arc<dyn Observation>> {
        Some(Arc::new(Record::begin(Arc::clone(&self.0), work)))
    }

    fn records(&self, trace: &TraceContext) -> bool {
        self.0.spans.is_some() && self.0.is_sampled(trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled_of_1000(sample: f64) -> usize {
        let shared = Shared::new(None, None, None, sample, Duration::from_secs(1));
        (0..1000)
            .filter(|_| shared.is_sampled(&TraceContext::start(false)))
            .count()
    }

    #[test]
    fn a_share_of_the_trace_ids_is_sampled() {
        assert_eq!(sampled_of_1000(0.0), 0);
        assert_eq!(sampled_of_1000(1.0), 1000);
        let half = sampled_of_1000(0.5);
        assert!((400..600).contains(&half), "{half}");
    }
}
