//! The end of a request: what was made for it is released, in reverse order, even when the client went away in the middle.

use doyen_core::inject::Context;
use tokio_util::task::TaskTracker;

/// Rolls back and releases when it is dropped armed: a request that was cancelled while it ran.
pub(super) struct Guard {
    context: Option<Context>,
    endings: TaskTracker,
}

impl Guard {
    pub(super) fn new(context: &Context, endings: &TaskTracker) -> Self {
        Self {
            context: Some(context.clone()),
            endings: endings.clone(),
        }
    }

    /// The request came to an end of its own: `close` does the rest.
    pub(super) fn disarm(mut self) {
        self.context = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(context) = self.context.take() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let undo = async move {
                context.rollback().await;
                context.close().await;
            };
            self.endings.spawn_on(undo, &runtime);
        }
    }
}

/// Runs the teardown on a task of its own, so that no answer waits for it; spends no task when there is nothing to do.
pub(super) fn close(context: Context, endings: &TaskTracker) {
    if context.is_light() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        endings.spawn_on(async move { context.close().await }, &runtime);
    }
}
