//! The end of a request: what was made for it is released, in reverse order, even when the client went away in the middle.

use doyen_core::inject::Context;

/// Rolls back and releases when it is dropped armed: a request that was cancelled while it ran.
pub(super) struct Guard(Option<Context>);

impl Guard {
    pub(super) fn new(context: &Context) -> Self {
        Self(Some(context.clone()))
    }

    /// The request came to an end of its own: `close` does the rest.
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(context) = self.0.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                context.rollback().await;
                context.close().await;
            });
        }
    }
}

/// Runs the teardown on a task of its own, so that no answer waits for it; spends no task when there is nothing to do.
pub(super) fn close(context: Context) {
    if context.teardown().is_empty() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { context.close().await });
    }
}
