//! Errors as the client sees them.
//!
//! The errors of an application are small enums, one for each operation. Each variant states its
//! kind and its code; the response (RFC 9457), the OpenAPI entry and the page under `/problems/`
//! are generated from it.
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

/// The static part of a problem: its row in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProblemInfo {
    /// Stable code in `snake_case`, also the last segment of the `type` of the problem.
    pub code: &'static str,
    /// Kind of failure.
    pub kind: Kind,
    /// Short title, the same for every occurrence.
    pub title: &'static str,
    /// Meaning of the problem and what to do: the doc comment of the variant.
    pub description: &'static str,
}

/// An error that can be the response to a request. Derive it on an enum.
///
/// A problem never shows its cause to the client. The edge logs the cause once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a handler",
    label = "this error type does not define what the client sees",
    note = "write `#[derive(Debug, Problem)]` above the enum and give each variant a kind, for example `#[problem(not_found)]`",
    note = "for an error whose details the client must not see, use `Unexpected`"
)]
pub trait Problem: Send + Sync + 'static {
    /// Returns the row of the catalogue for this value.
    fn info(&self) -> &'static ProblemInfo;

    /// Returns every problem that a value of this type can be.
    fn catalogue() -> Vec<&'static ProblemInfo>
    where
        Self: Sized;

    /// Returns the detail of this occurrence, for the client. The default is the description.
    fn detail(&self) -> Option<String> {
        None
    }

    /// Returns the validation failures, if this is a validation problem.
    fn failures(&self) -> Option<&Failures> {
        None
    }

    /// Returns additional members (RFC 9457 section 3.2).
    fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        Vec::new()
    }

    /// Returns additional headers of the response. A value that a header cannot contain is left
    /// out.
    fn headers(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Returns the additional headers and members of each problem, for the OpenAPI document.
    fn extras() -> Vec<ProblemExtras>
    where
        Self: Sized,
    {
        Vec::new()
    }

    /// Returns the number of seconds after which the same request may succeed.
    fn retry_after(&self) -> Option<u32> {
        None
    }

    /// Returns the cause, for the log and never for the client.
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        None
    }
}

/// What a problem has in addition to the members of every problem. Each is a name and a
/// description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProblemExtras {
    /// Code of the problem.
    pub code: &'static str,
    /// Response headers.
    pub headers: &'static [(&'static str, &'static str)],
    /// Members of the body.
    pub members: &'static [(&'static str, &'static str)],
}

/// Returns a field as a member of a problem, for generated code. A value that is no JSON is `null`.
#[doc(hidden)]
pub fn member_value(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Returns a field as the text of a header, for generated code.
#[doc(hidden)]
pub fn header_text(value: &impl std::fmt::Display) -> String {
    value.to_string()
}

/// A refused credential, with the challenge of the scheme that carried it.
pub struct Challenged {
    refusal: Refusal,
    challenge: String,
}

impl Challenged {
    /// Adds a challenge (`WWW-Authenticate`) to a refusal.
    pub const fn new(refusal: Refusal, challenge: String) -> Self {
        Self { refusal, challenge }
    }
}

#[diagnostic::do_not_recommend]
impl Problem for Challenged {
    fn info(&self) -> &'static ProblemInfo {
        self.refusal.info()
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        Vec::new()
    }
    fn detail(&self) -> Option<String> {
        self.refusal.detail()
    }
    fn failures(&self) -> Option<&Failures> {
        self.refusal.failures()
    }
    fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        self.refusal.members()
    }
    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut all = self.refusal.headers();
        if !all
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("www-authenticate"))
        {
            all.push(("www-authenticate", self.challenge.clone()));
        }
        all
    }
    fn retry_after(&self) -> Option<u32> {
        self.refusal.retry_after()
    }
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        self.refusal.cause()
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

/// A problem of any type. Extractors, providers and policies return it when they reject a request.
pub type Refusal = Box<dyn Problem>;

impl<P: Problem> From<P> for Refusal {
    fn from(problem: P) -> Self {
        Box::new(problem)
    }
}

/// A problem without its own type: a row of the catalogue and an optional detail.
#[derive(Debug, Clone)]
pub struct Plain {
    info: &'static ProblemInfo,
    detail: Option<String>,
    retry_after: Option<u32>,
    because: Option<DeniedBecause>,
}

impl Plain {
    /// Creates the problem of this row.
    pub const fn new(info: &'static ProblemInfo) -> Self {
        Self {
            info,
            detail: None,
            retry_after: None,
            because: None,
        }
    }

    /// Sets the detail of this occurrence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Sets the number of seconds after which to retry.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Sets the reason of a denial, for the log only.
    #[must_use]
    pub fn because(mut self, reason: DeniedBecause) -> Self {
        self.because = Some(reason);
        self
    }
}

#[diagnostic::do_not_recommend]
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
