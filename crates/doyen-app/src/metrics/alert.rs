//! A condition of metrics about which an operator is notified.

use std::time::Duration;

/// An alert of Prometheus, declared with the family of metrics that it is about.
///
/// Its expression is PromQL. In braces, `$app` selects the series of the application, which
/// `dashboards --job` names: `jobs_waiting{$app, queue="reports"} > 100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    pub(crate) name: &'static str,
    pub(crate) severity: Severity,
    pub(crate) expression: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) lasting: Duration,
}

/// How soon an operator must react.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// At once: users are affected.
    Critical,
    /// In working hours.
    Warning,
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

impl Alert {
    /// An alert that needs a reaction at once, because users are affected: its name, such as
    /// `NotReady`, the condition, and a summary that says what to check.
    pub const fn critical(
        name: &'static str,
        expression: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(name, Severity::Critical, expression, summary)
    }

    /// An alert that can wait for working hours.
    pub const fn warning(
        name: &'static str,
        expression: &'static str,
        summary: &'static str,
    ) -> Self {
        Self::new(name, Severity::Warning, expression, summary)
    }

    const fn new(
        name: &'static str,
        severity: Severity,
        expression: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            name,
            severity,
            expression,
            summary,
            lasting: Duration::ZERO,
        }
    }

    /// The time for which the condition must hold before the alert fires. Whole seconds.
    #[must_use]
    pub const fn lasting(mut self, time: Duration) -> Self {
        self.lasting = time;
        self
    }
}
