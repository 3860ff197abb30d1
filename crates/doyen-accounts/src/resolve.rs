//! Values of the injection graph outside of a request.

use doyen_core::Refusal;
use doyen_core::inject::{BoxFuture, Context, Inject};

/// Resolves a value of the graph. Boxed, because the compiler cannot see that the future is `Send`
/// where it is awaited.
pub(crate) fn resolve<T: Inject>(context: Context) -> BoxFuture<'static, Result<T, Refusal>> {
    Box::pin(async move { context.get::<T>().await })
}
