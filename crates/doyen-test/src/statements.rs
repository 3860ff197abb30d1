//! The statements of one request, for the message of a failed test.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex};

use doyen::domain::sync;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Number of statements that are kept: the last ones lead to the failure.
const RETAINED_STATEMENTS: usize = 20;
/// Target of the events that the Session writes for each statement.
const TARGET: &str = "doyen::sql";

/// Collects the statements of a request. It replaces the subscriber of the process while the
/// request runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statements(Arc<Mutex<VecDeque<String>>>);

/// A subscriber that nothing uses. With only one in the process, the first event of a kind is
/// switched on or off for good by the thread that it occurs in, and a background task has none.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Statements::default()));

impl Statements {
    /// Creates a list, and the subscriber that fills it.
    pub(crate) fn subscribe() -> (Self, Dispatch) {
        LazyLock::force(&SECOND);
        let statements = Self::default();
        (statements.clone(), Dispatch::new(statements))
    }

    /// Returns the last statements, the oldest first.
    pub(crate) fn take(&self) -> Vec<String> {
        sync::lock(&self.0).drain(..).collect()
    }
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        let outcome = if line.failed { "failed: " } else { "" };
        let mut all = sync::lock(&self.0);
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
