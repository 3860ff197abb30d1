//! Cleanup at the end of a request.

use std::future::Future;
use std::sync::{Arc, Mutex};

use super::{BoxFuture, Context, Inject, Lifetime, Node};
use crate::Refusal;
use crate::sync::lock;

/// Cleanup steps. They run in reverse order, each even if one before it panicked. Inject it into a
/// provider.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::inject::Teardown;
/// use doyen_core::{Unexpected, provider};
///
/// #[derive(Clone)]
/// struct Lock;
///
/// #[provider]
/// async fn lock(teardown: Teardown) -> Result<Lock, Unexpected> {
///     teardown.push(async { /* give it back */ });
///     Ok(Lock)
/// }
/// ```
#[derive(Clone, Default)]
pub struct Teardown(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl std::fmt::Debug for Teardown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Teardown")
            .field(&lock(&self.0).len())
            .finish()
    }
}

impl Teardown {
    /// Adds a step.
    pub fn push(&self, step: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0).push(Box::pin(step));
    }

    /// True if there are no steps.
    pub fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    /// Runs all steps, the last one first.
    pub async fn run(&self) {
        use futures_util::FutureExt as _;
        loop {
            let step = lock(&self.0).pop();
            let Some(step) = step else { return };
            // A step that panics must not keep the others from running.
            if std::panic::AssertUnwindSafe(step)
                .catch_unwind()
                .await
                .is_err()
            {
                tracing::error!("a teardown step panicked");
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl Inject for Teardown {
    const LIFETIME: Lifetime = Lifetime::Call;
    fn node() -> Node {
        Node::of::<Self>(Vec::new())
    }
    async fn make(cx: &Context) -> Result<Self, Refusal> {
        Ok(cx.teardown())
    }
}
