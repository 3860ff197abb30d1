//! Ports of a domain.

use std::sync::Arc;

/// A trait of the domain, seen from the type that implements it.
///
/// `#[port]` on the trait generates this. By hand it is one method:
///
/// ```
/// use std::sync::Arc;
/// use doyen_core::Port;
///
/// trait Mailer: Send + Sync {}
///
/// impl<A: Mailer + 'static> Port<A> for dyn Mailer {
///     fn adapt(adapter: A) -> Arc<Self> {
///         Arc::new(adapter)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{A}` is not an adapter for `{Self}`",
    label = "`{A}` does not implement this port",
    note = "implement the trait for `{A}`, and write `#[port]` above the trait"
)]
pub trait Port<A>: Send + Sync + 'static {
    /// Returns the adapter as the port.
    fn adapt(adapter: A) -> Arc<Self>;
}
