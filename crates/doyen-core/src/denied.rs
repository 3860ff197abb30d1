//! The reason of a denial.

use std::borrow::Cow;
use std::fmt;

/// The reason why a policy denies access: for the log, never for the client.
///
/// A policy is a function of the application that checks a caller and an object, and returns a
/// reason when it denies access. The problem has the reason as its cause, and the access log shows
/// it as `denied_because`.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::{DeniedBecause, Problem, denied_because};
///
/// struct Order {
///     owner: u32,
/// }
///
/// fn may_cancel(caller: u32, order: &Order) -> Result<(), DeniedBecause> {
///     if order.owner == caller {
///         return Ok(());
///     }
///     Err(denied_because("only its owner cancels an order"))
/// }
///
/// /// You may not cancel this order.
/// #[derive(Debug, Problem)]
/// #[problem(forbidden)]
/// struct NotYours(#[problem(cause)] DeniedBecause);
///
/// let refused = may_cancel(1, &Order { owner: 2 }).map_err(NotYours).unwrap_err();
/// assert_eq!(refused.cause().unwrap().to_string(), "only its owner cancels an order");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedBecause(Cow<'static, str>);

/// Creates a denial with this reason.
pub fn denied_because(reason: impl Into<Cow<'static, str>>) -> DeniedBecause {
    DeniedBecause(reason.into())
}

impl DeniedBecause {
    /// Returns the reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeniedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeniedBecause {}
