//! The error nobody planned for.

use std::error::Error;

use super::{Problem, ProblemInfo};
use crate::Kind;

/// The row of every internal fault.
pub static INTERNAL: ProblemInfo = ProblemInfo {
    code: "internal",
    kind: Kind::Internal,
    title: "Internal Server Error",
    description: "Something went wrong on our side. The request id finds it in the log; send it along when you report this.",
};

/// The row of every dependency that is away.
pub static UNAVAILABLE: ProblemInfo = ProblemInfo {
    code: "unavailable",
    kind: Kind::Unavailable,
    title: "Service Unavailable",
    description: "The service, or something it needs, can not answer right now. Nothing was changed. Try again after the time in `Retry-After`.",
};

/// The row of a commit whose outcome is not known.
pub static OUTCOME_UNKNOWN: ProblemInfo = ProblemInfo {
    code: "outcome_unknown",
    kind: Kind::Unavailable,
    title: "Outcome Unknown",
    description: "The connection to the database was lost while the change was being committed. It may or may not have happened: read the \
                  resource before you send the request again.",
};

/// An opaque error: the client sees an id, the log the whole chain.
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
    /// An internal fault (500) with this cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &INTERNAL,
            cause: cause.into(),
        }
    }

    /// Something needed is away for the moment (503): the client may try again.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &UNAVAILABLE,
            cause: cause.into(),
        }
    }

    /// A commit whose outcome is not known (503, a code of its own).
    pub fn outcome_unknown(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            info: &OUTCOME_UNKNOWN,
            cause: cause.into(),
        }
    }

    /// A known problem that has nothing to do with the domain, such as a cursor that does not fit.
    pub fn known(
        info: &'static ProblemInfo,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            info,
            cause: cause.into(),
        }
    }

    /// The error inside.
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
