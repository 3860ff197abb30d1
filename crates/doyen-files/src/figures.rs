//! Metrics of files.

use std::sync::atomic::{AtomicU64, Ordering};

use doyen_app::{Alert, Family, Samples};

const RECEIVED: &str = "files_received_total";
const BYTES: &str = "files_received_bytes_total";
const SCANS: &str = "files_scans_total";
const SWEPT: &str = "files_swept_total";

pub(crate) const FAMILIES: &[Family] = &[
    Family::counter(
        RECEIVED,
        "Files that this process accepted, and uploads that it refused.",
    )
    .labels(&["outcome"]),
    Family::counter(BYTES, "Bytes of files that arrived in this process."),
    Family::counter(SCANS, "Scans of this process, by verdict.")
        .labels(&["verdict"])
        .alerts(&[Alert::warning(
            "FileScansFail",
            "sum by (job) (increase(files_scans_total{$app, verdict=\"failed\"}[15m])) > 0",
            "Files cannot be scanned, and stay unreadable. Check the virus scanner.",
        )]),
    Family::counter(SWEPT, "Objects without a row that this process removed."),
];

/// Counts of this process.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) clean: AtomicU64,
    pub(crate) infected: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) swept: AtomicU64,
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Figures {
    pub(crate) fn collect(&self, samples: &mut Samples) {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        for (outcome, counter) in [("accepted", &self.accepted), ("refused", &self.refused)] {
            samples.value(RECEIVED, &[("outcome", outcome)], value(counter));
        }
        samples.value(BYTES, &[], value(&self.bytes));
        for (verdict, counter) in [
            ("clean", &self.clean),
            ("infected", &self.infected),
            ("failed", &self.failed),
        ] {
            samples.value(SCANS, &[("verdict", verdict)], value(counter));
        }
        samples.value(SWEPT, &[], value(&self.swept));
    }
}
