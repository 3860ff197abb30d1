//! Errors as the client sees them.
//!
//! An application's errors are small enums, one for each thing that can be asked of it. Each variant says its kind and its code; the
//! response (RFC 9457), the OpenAPI entry and the page under `/problems/` all come from that one place.
//!
//! ```
//! # extern crate doyen_core as doyen;
//! use doyen_core::{Problem, Unexpected};
//!
//! /// Why an order was not found.
//! #[derive(Debug, Problem)]
//! pub enum FindOrder {
//!     /// There is no such order, or it is not yours.
//!     #[problem(not_found, code = "order_not_found")]
//!     Missing,
//!     /// Anything else.
//!     #[problem(unexpected)]
//!     Unexpected(Unexpected),
//! }
//!
//! assert_eq!(FindOrder::Missing.info().code, "order_not_found");
//! ```

mod unexpected;

pub use unexpected::{INTERNAL, OUTCOME_UNKNOWN, UNAVAILABLE, Unexpected};

use std::error::Error;

use crate::{DeniedBecause, Failures, Kind};

/// What is known of one problem before it happens: its row in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProblemInfo {
    /// The stable code, `snake_case`; also the last segment of the problem's `type`.
    pub code: &'static str,
    /// What sort of failure it is.
    pub kind: Kind,
    /// A short title, the same for every occurrence.
    pub title: &'static str,
    /// What it means and what to do: the first doc comment of the variant.
    pub description: &'static str,
}

/// An error that can be the answer to a request. Derive it on an enum.
///
/// What a problem does not do: it never shows its cause to the client. The cause goes to the log, once, at the edge.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can not be the error of a handler",
    label = "this error type does not say what the client sees",
    note = "write `#[derive(Debug, Problem)]` above the enum and give each variant a kind, for example `#[problem(not_found)]`",
    note = "for an error the client should not see inside, use `Unexpected`"
)]
pub trait Problem: Send + Sync + 'static {
    /// The row of the catalogue for this value.
    fn info(&self) -> &'static ProblemInfo;

    /// Every problem a value of this type can be.
    fn catalogue() -> Vec<&'static ProblemInfo>
    where
        Self: Sized;

    /// What happened this time, for the client. The default is the description.
    fn detail(&self) -> Option<String> {
        None
    }

    /// The failures of a validation, when that is what this is.
    fn failures(&self) -> Option<&Failures> {
        None
    }

    /// Members of its own, beside those that every problem has (RFC 9457 section 3.2).
    fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        Vec::new()
    }

    /// Seconds after which the same request may succeed.
    fn retry_after(&self) -> Option<u32> {
        None
    }

    /// Why it happened: for the log, never for the client.
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}

impl std::fmt::Debug for dyn Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Problem")
            .field("code", &self.info().code)
            .field("detail", &self.detail())
            .finish()
    }
}

/// A problem of any type: what extractors, providers and policies give when they refuse.
pub type Refusal = Box<dyn Problem>;

impl<P: Problem> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Box::new(problem)
    }
}

/// A problem that needs no type of its own: a row of the catalogue and perhaps a sentence.
#[derive(Debug, Clone)]
pub struct Plain {
    info: &'static ProblemInfo,
    detail: Option<String>,
    retry_after: Option<u32>,
    because: Option<DeniedBecause>,
}

impl Plain {
    /// The problem of this row.
    pub const fn new(info: &'static ProblemInfo) -> Self {
        Self {
            info,
            detail: None,
            retry_after: None,
            because: None,
        }
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Says to the log, and to it alone, why somebody may not.
    #[must_use]
    pub fn because(mut self, reason: DeniedBecause) -> Self {
        self.because = Some(reason);
        self
    }
}

impl Problem for Plain {
    fn info(&self) -> &'static ProblemInfo {
        self.info
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        Vec::new()
    }
    fn detail(&self) -> Option<String> {
        self.detail.clone()
    }
    fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.because.as_ref()?)
    }
}
