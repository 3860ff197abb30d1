//! Cleanup of a request: what was created for it is released in reverse order, even if the client
//! disconnects.

use doyen_core::inject::Context;
use tokio_util::task::TaskTracker;

/// Rolls back and releases when it is dropped armed, which means that the request was cancelled.
pub(super) struct CleanupGuard {
    context: Option<Context>,
    cleanups: TaskTracker,
}

impl CleanupGuard {
    pub(super) fn new(context: &Context, cleanups: &TaskTracker) -> Self {
        Self {
            context: Some(context.clone()),
            cleanups: cleanups.clone(),
        }
    }

    /// Ends the guard of a request that was not cancelled. [`close`] does the rest.
    pub(super) fn disarm(mut self) {
        self.context = None;
    }
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        let Some(context) = self.context.take() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let undo = async move {
                context.rollback().await;
                context.close().await;
            };
            self.cleanups.spawn_on(undo, &runtime);
        }
    }
}

/// Releases what was created for a request, on a task of its own, so that the response does not
/// wait for it. Spawns no task if there is nothing to release.
pub(super) fn close(context: Context, cleanups: &TaskTracker) {
    if context.is_light() {
        return;
    }
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        cleanups.spawn_on(async move { context.close().await }, &runtime);
    }
}
