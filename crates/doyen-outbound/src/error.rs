//! Why a call failed.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use doyen_core::ProblemInfo;
use doyen_core::problem::UNAVAILABLE;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallErrorKind {
    /// The call is a mistake of the program: an invalid URL or header, or no base URL.
    Invalid,
    /// The address must not be called.
    Forbidden,
    /// Too many calls run and wait.
    Saturated,
    /// The circuit breaker of the host is open.
    BreakerOpen,
    /// No response in time.
    Timeout,
    /// No connection.
    Connect,
    /// The connection was lost, or the response is not HTTP or incomplete.
    Transport,
    /// The response is larger than `max_response`.
    TooLarge,
    /// The status is not 2xx: see [`Response::success`](crate::Response::success).
    Status(u16),
    /// The body is not the expected JSON.
    Body,
}

/// A call that failed. It shows neither the path nor headers or bodies, which may contain secrets.
///
/// In a handler, `?` turns it into a response: 503 if the call may succeed later
/// ([`is_transient`](Self::is_transient)), otherwise 500.
#[derive(Debug)]
pub struct CallError {
    pub(crate) client: &'static str,
    pub(crate) kind: CallErrorKind,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl CallError {
    pub(crate) fn new(client: &'static str, kind: CallErrorKind) -> Self {
        Self {
            client,
            kind,
            retry_after: None,
            source: None,
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what failed.
    pub const fn kind(&self) -> CallErrorKind {
        self.kind
    }

    /// Returns the time after which a call may succeed, if it is known: the breaker is open, or the
    /// upstream sent `Retry-After`.
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// True if the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        match self.kind {
            CallErrorKind::Saturated
            | CallErrorKind::BreakerOpen
            | CallErrorKind::Timeout
            | CallErrorKind::Connect
            | CallErrorKind::Transport => true,
            CallErrorKind::Status(status) => is_transient_status(status),
            _ => false,
        }
    }

    /// True if the upstream cannot have received the call.
    pub const fn is_unsent(&self) -> bool {
        matches!(
            self.kind,
            CallErrorKind::Invalid
                | CallErrorKind::Forbidden
                | CallErrorKind::Saturated
                | CallErrorKind::BreakerOpen
                | CallErrorKind::Connect
        )
    }
}

/// True if another try may get another status.
pub(crate) const fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429) || is_failure_status(status)
}

/// True if the status counts as a failure of the host.
pub(crate) const fn is_failure_status(status: u16) -> bool {
    matches!(status, 500 | 502 | 503 | 504)
}

/// Tells errors of upstreams from faults of the service.
pub(crate) fn classify(error: &(dyn Error + 'static)) -> Option<&'static ProblemInfo> {
    let call = error.downcast_ref::<CallError>()?;
    call.is_transient().then_some(&UNAVAILABLE)
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the call of `{}` failed: ", self.client)?;
        match self.kind {
            CallErrorKind::Invalid => f.write_str("the call is invalid"),
            CallErrorKind::Forbidden => f.write_str("the address is forbidden"),
            CallErrorKind::Saturated => f.write_str("too many calls wait"),
            CallErrorKind::BreakerOpen => f.write_str("the circuit breaker is open"),
            CallErrorKind::Timeout => f.write_str("no response in time"),
            CallErrorKind::Connect => f.write_str("no connection"),
            CallErrorKind::Transport => f.write_str("the connection was lost"),
            CallErrorKind::TooLarge => f.write_str("the response is too large"),
            CallErrorKind::Status(status) => write!(f, "status {status}"),
            CallErrorKind::Body => f.write_str("the body is not the expected JSON"),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source as &(dyn Error + 'static))
    }
}
