//! What is known of a metric before it has a value: name, type, help, labels, graph and alerts.

use super::Alert;

/// A family of metrics: one name with one meaning.
///
/// The command `dashboards` draws a graph of each family, with one line for each value of its
/// labels, and writes its alerts:
///
/// ```
/// use std::time::Duration;
///
/// use doyen_app::{Alert, Family};
///
/// const FAMILIES: &[Family] = &[
///     Family::counter("mails_total", "Mails by their end.").labels(&["end"]),
///     Family::gauge("mails_waiting", "Mails that wait.").alerts(&[Alert::warning(
///         "MailsWait",
///         "max by (job) (mails_waiting{$app}) > 1000",
///         "More than 1000 mails wait. Check the mail server.",
///     )
///     .lasting(Duration::from_mins(10))]),
/// ];
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: FamilyKind,
    pub(crate) help: &'static str,
    pub(crate) labels: &'static [&'static str],
    pub(crate) graph: Option<&'static str>,
    pub(crate) alerts: &'static [Alert],
}

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyKind {
    Counter,
    Gauge,
    Histogram,
}

impl FamilyKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Family {
    /// A value that only grows. Its name ends in `_total`.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, FamilyKind::Counter, help)
    }

    /// A value that grows and shrinks.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, FamilyKind::Gauge, help)
    }

    /// A distribution.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self::new(name, FamilyKind::Histogram, help)
    }

    const fn new(name: &'static str, kind: FamilyKind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            help,
            labels: &[],
            graph: None,
            alerts: &[],
        }
    }

    /// The names of its labels.
    #[must_use]
    pub const fn labels(mut self, labels: &'static [&'static str]) -> Self {
        self.labels = labels;
        self
    }

    /// The PromQL expression of its graph, instead of the one for its type. `$app` in braces
    /// selects the series of the application: `time() - started_seconds{$app}`.
    #[must_use]
    pub const fn graph(mut self, expression: &'static str) -> Self {
        self.graph = Some(expression);
        self
    }

    /// The alerts about it.
    #[must_use]
    pub const fn alerts(mut self, alerts: &'static [Alert]) -> Self {
        self.alerts = alerts;
        self
    }
}
