//! Counters of live connections, for metrics and health.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use doyen_app::{Family, Samples};
use doyen_core::sync::lock;

use crate::CloseReason;

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    sockets: AtomicI64,
    streams: AtomicI64,
    delivered: AtomicU64,
    received: AtomicU64,
    rejected: AtomicU64,
    closed: Mutex<BTreeMap<&'static str, u64>>,
    error: Mutex<Option<String>>,
}

pub(crate) const FAMILIES: &[Family] = &[
    Family::gauge("live_connections", "Open live connections, by kind.").labels(&["kind"]),
    Family::gauge("live_topics", "Topics with subscribers in this process."),
    Family::counter(
        "live_deliveries_total",
        "Signals that were handed to connections.",
    ),
    Family::counter(
        "live_messages_total",
        "Messages that sockets received, by end.",
    )
    .labels(&["end"]),
    Family::counter(
        "live_closed_total",
        "Connections that the server ended, by reason.",
    )
    .labels(&["reason"]),
];

impl Stats {
    pub(crate) fn opened(&self, is_socket: bool) {
        self.open(is_socket).fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, is_socket: bool) {
        self.open(is_socket).fetch_sub(1, Ordering::Relaxed);
    }

    const fn open(&self, is_socket: bool) -> &AtomicI64 {
        if is_socket {
            &self.sockets
        } else {
            &self.streams
        }
    }

    pub(crate) fn delivered(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, is_ok: bool) {
        let counter = if is_ok {
            &self.received
        } else {
            &self.rejected
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self, reason: CloseReason) {
        *lock(&self.closed).entry(reason.name()).or_default() += 1;
    }

    pub(crate) fn note_error(&self, error: Option<String>) {
        *lock(&self.error) = error;
    }

    /// Returns the reason if events are not delivered at the moment.
    pub(crate) fn health(&self) -> Result<(), String> {
        lock(&self.error).clone().map_or(Ok(()), Err)
    }

    pub(crate) fn collect(&self, samples: &mut Samples, topics: usize) {
        let open = |count: &AtomicI64| count.load(Ordering::Relaxed).max(0).unsigned_abs();
        samples.value(
            "live_connections",
            &[("kind", "socket")],
            open(&self.sockets),
        );
        samples.value(
            "live_connections",
            &[("kind", "stream")],
            open(&self.streams),
        );
        samples.value("live_topics", &[], topics as u64);
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        samples.value("live_deliveries_total", &[], count(&self.delivered));
        samples.value(
            "live_messages_total",
            &[("end", "done")],
            count(&self.received),
        );
        samples.value(
            "live_messages_total",
            &[("end", "rejected")],
            count(&self.rejected),
        );
        for (reason, value) in &*lock(&self.closed) {
            samples.value("live_closed_total", &[("reason", reason)], *value);
        }
    }
}
