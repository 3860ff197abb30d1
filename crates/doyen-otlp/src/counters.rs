//! The metrics of the export.

use std::sync::atomic::{AtomicU64, Ordering};

use doyen_app::{Alert, Family, Samples};

const EXPORTED: &str = "otlp_exported_total";
const DROPPED: &str = "otlp_dropped_total";
const QUEUED: &str = "otlp_queue_bytes";

pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        EXPORTED,
        "Spans, log lines and metrics that the collector accepted, by signal.",
    )
    .labels(&["signal"]),
    Family::counter(
        DROPPED,
        "Spans, log lines and metrics that were lost, by signal and reason.",
    )
    .labels(&["signal", "reason"])
    .alerts(&[Alert::warning(
        "TelemetryLost",
        "sum by (job, signal, reason) (increase(otlp_dropped_total{$app}[10m])) > 0",
        "Telemetry is lost on its way to the collector. Requests are not affected. By `reason`: \
         `queue_full`, the collector is too slow; `failed`, it does not accept; `rejected`, it \
         refused a part; `request_full`, a request had too many spans; `stopped`, there was no time \
         at the stop.",
    )]),
    Family::gauge(
        QUEUED,
        "Memory of the telemetry that waits for the collector, in bytes, by signal.",
    )
    .labels(&["signal"]),
];

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Logs,
    Metrics,
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

/// Why telemetry is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    QueueFull,
    Failed,
    Rejected,
    RequestFull,
    Stopped,
}

impl Loss {
    const ALL: [Self; 5] = [
        Self::QueueFull,
        Self::Failed,
        Self::Rejected,
        Self::RequestFull,
        Self::Stopped,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::RequestFull => "request_full",
            Self::Stopped => "stopped",
        }
    }
}

/// The counters of one signal.
#[derive(Debug, Default)]
struct OfSignal {
    exported: AtomicU64,
    dropped: [AtomicU64; Loss::ALL.len()],
    queued: AtomicU64,
}

/// The counters of all signals.
#[derive(Debug, Default)]
pub(crate) struct Counters([OfSignal; Signal::ALL.len()]);

impl Counters {
    pub(crate) fn exported(&self, signal: Signal, count: u64) {
        add(&self.0[signal as usize].exported, count);
    }

    pub(crate) fn dropped(&self, signal: Signal, loss: Loss, count: u64) {
        add(&self.0[signal as usize].dropped[loss as usize], count);
    }

    pub(crate) fn queued(&self, signal: Signal, bytes: usize) {
        self.0[signal as usize]
            .queued
            .store(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn collect(&self, samples: &mut Samples) {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for signal in Signal::ALL {
            let (one, label) = (&self.0[signal as usize], ("signal", signal.as_str()));
            samples.value(EXPORTED, &[label], get(&one.exported));
            for loss in Loss::ALL {
                let labels = [label, ("reason", loss.as_str())];
                samples.value(DROPPED, &labels, get(&one.dropped[loss as usize]));
            }
            samples.value(QUEUED, &[label], get(&one.queued));
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
