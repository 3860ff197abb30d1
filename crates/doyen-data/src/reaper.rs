//! The task that closes the idle connections of a pool.

use std::sync::Mutex;
use std::time::Duration;

use doyen_core::sync;
use tokio::task::AbortHandle;

/// A task that runs at intervals, until its owner is dropped.
#[derive(Default)]
pub(crate) struct Reaper(Mutex<Option<AbortHandle>>);

impl Reaper {
    /// Starts the task. It ends when `reap` returns false. Without a runtime there is no task.
    pub(crate) fn start(
        &self,
        idle_timeout: Duration,
        mut reap: impl FnMut() -> bool + Send + 'static,
    ) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let every = (idle_timeout / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
        let task = runtime.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                if !reap() {
                    return;
                }
            }
        });
        *sync::lock(&self.0) = Some(task.abort_handle());
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        if let Some(task) = sync::lock(&self.0).take() {
            task.abort();
        }
    }
}
