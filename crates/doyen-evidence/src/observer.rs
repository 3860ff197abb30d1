//! Chooses the requests to observe.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::{Observation, ObservedWork, RequestObserver, WorkKind};

use crate::finding::Counts;
use crate::limits::Limits;
use crate::observation::Observed;

/// What all observed requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) counts: Counts,
    #[cfg(feature = "database")]
    pub(crate) record: Option<Arc<crate::record::Record>>,
}

/// Observes a share of the requests, evenly: of 0.1, each tenth.
#[derive(Debug)]
pub(crate) struct Observer {
    shared: Arc<Shared>,
    /// The share, of 2^32.
    share: u64,
    position: AtomicU32,
}

impl Observer {
    /// `sample` is from 0 to 1.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the share is between 0 and 2^32"
    )]
    pub(crate) fn new(shared: Arc<Shared>, sample: f64) -> Self {
        Self {
            shared,
            share: (sample.clamp(0.0, 1.0) * f64::from(u32::MAX)).ceil() as u64 + 1,
            position: AtomicU32::new(0),
        }
    }
}

impl RequestObserver for Observer {
    fn observe(&self, work: &ObservedWork<'_>) -> Option<Arc<dyn Observation>> {
        if work.kind != WorkKind::Request {
            return None;
        }
        // The position goes round by the share, and each round is one request.
        let share = u32::try_from(self.share).unwrap_or(0);
        let is_chosen = share == 0
            || self
                .position
                .fetch_add(share, Ordering::Relaxed)
                .checked_add(share)
                .is_none();
        is_chosen.then(|| Arc::new(Observed::new(Arc::clone(&self.shared))) as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EvidenceSettings;

    fn observed_of_1000(sample: f64) -> usize {
        let settings = EvidenceSettings {
            sample: Some(sample),
            repeated_statements: 5,
            blocking: std::time::Duration::from_millis(10),
            idle_transaction: std::time::Duration::from_millis(100),
            long_transaction: std::time::Duration::from_secs(1),
            list_rows: 1000,
            response_size: doyen_settings::ByteSize::mib(1),
            concurrent_loads: 5,
            allow: Vec::new(),
            record: None,
            scan_rows: 1000,
        };
        let shared = Shared {
            limits: Limits::new(&settings).unwrap(),
            counts: Counts::default(),
            #[cfg(feature = "database")]
            record: None,
        };
        let observer = Observer::new(Arc::new(shared), sample);
        let request = ObservedWork {
            kind: WorkKind::Request,
            name: "",
            request_id: doyen_core::RequestId::new(),
            trace: doyen_core::TraceContext::start(false),
            parent: None,
        };
        let is_observed = |_: &i32| observer.observe(&request).is_some();
        (0..1000).filter(is_observed).count()
    }

    #[test]
    fn the_share_is_kept() {
        assert_eq!(observed_of_1000(1.0), 1000);
        assert_eq!(observed_of_1000(0.1), 100);
        assert_eq!(observed_of_1000(0.001), 1);
    }
}
