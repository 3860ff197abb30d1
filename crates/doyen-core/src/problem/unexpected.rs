//! The error for unforeseen failures.

use std::error::Error;

use super::{Problem, ProblemInfo};
use crate::Kind;

/// The problem for every internal fault.
pub static INTERNAL: ProblemInfo = ProblemInfo {
    code: "internal",
    kind: Kind::Internal,
    title: "Internal Server Error",
    description: "An unexpected error occurred on the server. Include the request id when you report it.",
};

/// The problem for an unavailable dependency.
pub static UNAVAILABLE: ProblemInfo = ProblemInfo {
    code: "unavailable",
    kind: Kind::Unavailable,
    title: "Service Unavailable",
    description: "The service, or one of its dependencies, is temporarily unavailable. Nothing was changed. Retry after the number of seconds in `Retry-After`.",
};

/// The problem for a commit with an unknown outcome.
pub static OUTCOME_UNKNOWN: ProblemInfo = ProblemInfo {
    code: "outcome_unknown",
    kind: Kind::Unavailable,
    title: "Outcome Unknown",
    description: "The connection to the database was lost during the commit. The change may or may not have been saved. Send \
                  the request again with the same `Idempotency-Key`, if it had one. Otherwise read the resource first.",
};

/// An opaque error. The client sees a request id, and the log contains the whole chain.
///
/// Every error that implements [`std::error::Error`] becomes one with `?`.
///
/// ```
/// use doyen_core::{Problem, Unexpected};
///
/// fn parse(text: &str) -> Result<u32, Unexpected> {
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("x").unwrap_err().info().code, "internal");
/// ```
pub struct Unexpected {
    info: &'static ProblemInfo,
    cause: Box<dyn Error + Send + Sync>,
}

impl Unexpected {
    /// Creates an internal fault (500) with this cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &INTERNAL,
            cause: cause.into(),
        }
    }

    /// Creates the error for a temporarily unavailable dependency (503). The client may retry.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &UNAVAILABLE,
            cause: cause.into(),
        }
    }

    /// Creates the error for a commit with an unknown outcome (503, with its own code).
    pub fn outcome_unknown(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &OUTCOME_UNKNOWN,
            cause: cause.into(),
        }
    }

    /// Creates an error from a known problem outside the domain, such as an invalid cursor.
    pub fn known(
        info: &'static ProblemInfo,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            info,
            cause: cause.into(),
        }
    }

    /// Returns the inner error.
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.cause
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Unexpected {
    fn from(cause: E) -> Self {
        Self::new(cause)
    }
}

impl std::fmt::Debug for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Unexpected").field(&self.cause).finish()
    }
}

#[diagnostic::do_not_recommend]
impl Problem for Unexpected {
    fn info(&self) -> &'static ProblemInfo {
        self.info
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&INTERNAL, &UNAVAILABLE]
    }

    fn retry_after(&self) -> Option<u32> {
        (self.info.kind == Kind::Unavailable).then_some(1)
    }

    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}
