//! Warnings and errors for a plugin that sends them elsewhere.

use std::fmt;
use std::sync::Arc;

use doyen_core::TraceContext;

/// Receives warnings and errors. It is called where they are logged, so it must not wait, and must
/// not log.
pub trait LogReceiver: Send + Sync + 'static {
    /// Receives one event.
    fn receive(&self, event: &LogEvent<'_>);
}

/// A warning or an error.
#[derive(Clone, Copy, Debug)]
pub struct LogEvent<'a> {
    /// True for an error, false for a warning.
    pub is_error: bool,
    /// Target: the module that logs.
    pub target: &'a str,
    /// Message.
    pub message: &'a str,
    /// Fields, with those of the spans around it.
    pub fields: &'a [(&'static str, &'a str)],
    /// The trace of the work that logs, if there is one.
    pub trace: Option<TraceContext>,
}

/// A receiver of warnings and errors: extension point of the plugin `log`.
#[derive(Clone)]
pub struct LogTap(pub Arc<dyn LogReceiver>);

impl fmt::Debug for LogTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogTap").finish_non_exhaustive()
    }
}
