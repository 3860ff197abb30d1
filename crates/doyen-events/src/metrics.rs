//! Counters and gauges of the relay.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use doyen_app::{Alert, Family, Samples};
use doyen_core::sync::lock;

use crate::store::{Backlog, Target};

pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        "events_delivered_total",
        "Deliveries that succeeded, by handler.",
    )
    .labels(&["handler"]),
    Family::counter("events_failed_total", "Attempts that failed, by handler.")
        .labels(&["handler"]),
    Family::counter(
        "events_parked_total",
        "Deliveries that were parked, by handler.",
    )
    .labels(&["handler"]),
    Family::histogram(
        "events_delivery_seconds",
        "Time from the emit of an event to the end of its delivery.",
    ),
    Family::gauge(
        "events_outbox_waiting",
        "Deliveries that wait, on all nodes.",
    ),
    Family::gauge("events_parked", "Parked deliveries, on all nodes.").alerts(&[Alert::warning(
        "EventsParked",
        "max by (job) (events_parked{$app}) > 0",
        "Events could not be delivered, and are no longer tried. `events list` shows them.",
    )]),
    Family::gauge(
        "events_outbox_lag_seconds",
        "Age of the oldest event that waits.",
    )
    .alerts(&[Alert::warning(
        "OutboxLag",
        "max by (job) (events_outbox_lag_seconds{$app}) > 60",
        "Events wait for more than a minute. Check the log of the relay, and the message broker.",
    )
    .lasting(Duration::from_mins(5))]),
];

const BOUNDS: [(f64, &str); 8] = [
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.02, "0.02"),
    (0.05, "0.05"),
    (0.25, "0.25"),
    (1.0, "1"),
    (10.0, "10"),
    (60.0, "60"),
];

/// The state of the relay of this process.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    targets: Vec<TargetStats>,
    waiting: AtomicI64,
    parked: AtomicI64,
    lag_ms: AtomicI64,
    buckets: [AtomicU64; 9],
    sum_micros: AtomicU64,
    /// Why the last round failed.
    error: Mutex<Option<String>>,
    /// Why events cannot be consumed from the broker.
    pub(crate) consume_error: Mutex<Option<String>>,
}

#[derive(Debug)]
struct TargetStats {
    name: &'static str,
    delivered: AtomicU64,
    failed: AtomicU64,
    parked: AtomicU64,
}

/// How one delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered,
    Failed,
    Parked,
}

impl Stats {
    pub(crate) fn new(targets: &[Target]) -> Self {
        let target = |target: &Target| TargetStats {
            name: target.name,
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            parked: AtomicU64::new(0),
        };
        Self {
            targets: targets.iter().map(target).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn note(&self, handler: &str, outcome: Outcome) {
        let Some(target) = self.targets.iter().find(|target| target.name == handler) else {
            return;
        };
        match outcome {
            Outcome::Delivered => target.delivered.fetch_add(1, Ordering::Relaxed),
            Outcome::Failed => target.failed.fetch_add(1, Ordering::Relaxed),
            Outcome::Parked => {
                target.failed.fetch_add(1, Ordering::Relaxed);
                target.parked.fetch_add(1, Ordering::Relaxed)
            }
        };
    }

    pub(crate) fn note_latency(&self, latency: Duration) {
        let seconds = latency.as_secs_f64();
        let bucket = BOUNDS.iter().position(|(bound, _)| seconds <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn note_backlog(&self, backlog: Backlog) {
        self.waiting.store(backlog.waiting, Ordering::Relaxed);
        self.parked.store(backlog.parked, Ordering::Relaxed);
        self.lag_ms.store(backlog.lag_ms, Ordering::Relaxed);
    }

    pub(crate) fn note_error(&self, error: Option<String>) {
        *lock(&self.error) = error;
    }

    /// The result of the health check.
    pub(crate) fn health(&self) -> Result<(), String> {
        for error in [&self.error, &self.consume_error] {
            if let Some(error) = &*lock(error) {
                return Err(error.clone());
            }
        }
        match self.parked.load(Ordering::Relaxed) {
            0 => Ok(()),
            parked => Err(format!("{parked} parked deliveries: see `events list`")),
        }
    }

    pub(crate) fn collect(&self, samples: &mut Samples) {
        for target in &self.targets {
            let labels = [("handler", target.name)];
            let counters = [
                ("events_delivered_total", &target.delivered),
                ("events_failed_total", &target.failed),
                ("events_parked_total", &target.parked),
            ];
            for (name, counter) in counters {
                samples.value(name, &labels, counter.load(Ordering::Relaxed));
            }
        }
        let counts = self
            .buckets
            .each_ref()
            .map(|bucket| bucket.load(Ordering::Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "a sum of seconds for a graph")]
        let sum = self.sum_micros.load(Ordering::Relaxed) as f64 / 1e6;
        let bounds = BOUNDS.map(|(_, text)| text);
        samples.histogram("events_delivery_seconds", &[], &bounds, &counts, sum);
        samples.value(
            "events_outbox_waiting",
            &[],
            self.waiting.load(Ordering::Relaxed),
        );
        samples.value("events_parked", &[], self.parked.load(Ordering::Relaxed));
        #[allow(clippy::cast_precision_loss, reason = "an age for a graph")]
        let lag = self.lag_ms.load(Ordering::Relaxed) as f64 / 1e3;
        samples.value("events_outbox_lag_seconds", &[], lag);
    }
}
