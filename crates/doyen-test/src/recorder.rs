//! Records the statements and the findings of one request.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use doyen::domain::sync;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

use crate::Finding;

/// Number of statements that are kept: the last ones lead to the failure.
pub(crate) const RETAINED_STATEMENTS: usize = 20;
/// Target of the events that the Session writes for each statement.
const STATEMENTS: &str = "doyen::sql";
/// Target of the events that the plugin `evidence` writes for each finding.
const FINDINGS: &str = "evidence";

/// Records the statements and findings of a request. It replaces the subscriber of the process
/// while the request runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    statements: VecDeque<String>,
    findings: Vec<Finding>,
}

/// A subscriber that nothing uses. With only one in the process, the first event of a kind is
/// switched on or off for good by the thread that it occurs in, and a background task has none.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Recorder::default()));

impl Recorder {
    /// Creates a recorder, and the subscriber that fills it.
    pub(crate) fn subscribe() -> (Self, Dispatch) {
        LazyLock::force(&SECOND);
        let recorder = Self::default();
        (recorder.clone(), Dispatch::new(recorder))
    }

    /// Returns the last statements, the oldest first, and all findings.
    pub(crate) fn take(&self) -> (Vec<String>, Vec<Finding>) {
        let recorded = std::mem::take(&mut *sync::lock(&self.0));
        (recorded.statements.into(), recorded.findings)
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        [STATEMENTS, FINDINGS].contains(&metadata.target())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if event.metadata().target() == FINDINGS {
            let mut finding = Finding::default();
            event.record(&mut finding);
            sync::lock(&self.0).findings.push(finding);
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let outcome = if line.failed { "failed: " } else { "" };
        let mut recorded = sync::lock(&self.0);
        let all = &mut recorded.statements;
        if all.len() == RETAINED_STATEMENTS {
            all.pop_front();
        }
        all.push_back(format!("{outcome}{}", line.sql));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    sql: String,
    failed: bool,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "sql" {
            value.clone_into(&mut self.sql);
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.failed |= field.name() == "failed" && value;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Visit for Finding {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = value.to_owned();
        match field.name() {
            "code" => self.code = value,
            "cure" => self.cure = value,
            "method" => self.method = value,
            "route" => self.route = value,
            "statement" => self.statement = Some(value),
            "cache" => self.cache = Some(value),
            "work" => self.work = Some(value),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "count" => self.count = Some(value),
            "millis" => self.millis = Some(value),
            "rows" => self.rows = Some(value),
            "bytes" => self.bytes = Some(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
