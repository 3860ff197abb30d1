//! Log lines for a plugin that sends or shows them elsewhere.

use std::fmt;
use std::sync::Arc;

use doyen_core::TraceContext;
use tracing::Level;

/// Receives log lines that pass the filter of the log. It is called where they are logged, so it
/// must not wait, and must not log.
pub trait LogReceiver: Send + Sync + 'static {
    /// Returns the most detailed level that it receives. By default, these are warnings and errors.
    fn max_level(&self) -> Level {
        Level::WARN
    }

    /// Receives one event.
    fn receive(&self, event: &LogEvent<'_>);
}

/// A log line.
#[derive(Clone, Copy, Debug)]
pub struct LogEvent<'a> {
    /// Level.
    pub level: Level,
    /// Target: the module that logs.
    pub target: &'a str,
    /// Message.
    pub message: &'a str,
    /// Fields, with those of the spans around it.
    pub fields: &'a [(&'static str, &'a str)],
    /// The trace of the work that logs, if there is one.
    pub trace: Option<TraceContext>,
}

/// A receiver of log lines: extension point of the plugin `log`.
#[derive(Clone)]
pub struct LogTap(pub Arc<dyn LogReceiver>);

impl fmt::Debug for LogTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogTap").finish_non_exhaustive()
    }
}
