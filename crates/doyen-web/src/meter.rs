//! The metrics of each route: requests by status, and their durations.
//!
//! They are part of the route, so that no lookup by name is needed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the duration buckets, in seconds.
pub const DURATION_BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// Number of classes of status codes, from 1xx to 5xx.
const CLASSES: usize = 5;
/// Number of status codes in a class.
const CLASS_SIZE: usize = 100;

/// The counters of one route.
#[derive(Default)]
pub(crate) struct Meter {
    /// By class, allocated when the first response of the class is sent: most routes use two.
    statuses: [OnceLock<Box<[AtomicU64; CLASS_SIZE]>>; CLASSES],
    buckets: [AtomicU64; DURATION_BUCKETS.len() + 1],
    nanos: AtomicU64,
}

impl Meter {
    pub(crate) fn record(&self, status: u16, duration: Duration) {
        let index = usize::from(status).wrapping_sub(CLASS_SIZE);
        if let Some(class) = self.statuses.get(index / CLASS_SIZE) {
            let counts = class.get_or_init(|| Box::new([const { AtomicU64::new(0) }; CLASS_SIZE]));
            counts[index % CLASS_SIZE].fetch_add(1, Ordering::Relaxed);
        }
        let seconds = duration.as_secs_f64();
        let bucket = DURATION_BUCKETS
            .iter()
            .position(|end| seconds <= *end)
            .unwrap_or(DURATION_BUCKETS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, method: &'static str, route: &str) -> RouteMetrics {
        let classes = self.statuses.iter().zip((100_u16..).step_by(CLASS_SIZE));
        let used = classes.filter_map(|(class, first)| Some(class.get()?.iter().zip(first..)));
        let statuses = used.flatten().filter_map(|(count, status)| {
            let count = count.load(Ordering::Relaxed);
            (count > 0).then_some((status, count))
        });
        RouteMetrics {
            method,
            route: route.to_owned(),
            statuses: statuses.collect(),
            buckets: std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
            total: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

/// A snapshot of the counters of one route.
#[derive(Clone, Debug)]
pub struct RouteMetrics {
    /// The method; `*` for requests without a route.
    pub method: &'static str,
    /// The path template.
    pub route: String,
    /// Number of responses by status.
    pub statuses: Vec<(u16, u64)>,
    /// Number of requests in each of [`DURATION_BUCKETS`], and in one more for longer ones.
    pub buckets: [u64; DURATION_BUCKETS.len() + 1],
    /// Total duration of all requests.
    pub total: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_by_status_and_by_duration() {
        let meter = Meter::default();
        meter.record(200, Duration::from_millis(3));
        meter.record(503, Duration::from_secs(60));
        meter.record(7, Duration::ZERO);
        let metrics = meter.snapshot("GET", "/x");
        assert_eq!(metrics.statuses, [(200, 1), (503, 1)]);
        assert_eq!(
            (metrics.buckets[2], metrics.buckets[11], metrics.buckets[0]),
            (1, 1, 1)
        );
    }
}
