//! Tasks that end with their owner.

use std::sync::Mutex;
use std::time::Duration;

use doyen_core::sync;
use tokio::task::AbortHandle;

/// A background task that is aborted when its owner is dropped.
#[derive(Default)]
pub(crate) struct BackgroundTask(Mutex<Option<AbortHandle>>);

impl BackgroundTask {
    /// Starts the task. Without a runtime there is none.
    pub(crate) fn start(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let task = runtime.spawn(work);
            *sync::lock(&self.0) = Some(task.abort_handle());
        }
    }

    /// Aborts the task.
    pub(crate) fn stop(&self) {
        if let Some(task) = sync::lock(&self.0).take() {
            task.abort();
        }
    }
}

impl Drop for BackgroundTask {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Closes idle connections at intervals, until `reap` returns false.
pub(crate) async fn reap_idle(idle_timeout: Duration, mut reap: impl FnMut() -> bool + Send) {
    let every = (idle_timeout / 4).clamp(Duration::from_secs(1), Duration::from_secs(60));
    loop {
        tokio::time::sleep(every).await;
        if !reap() {
            return;
        }
    }
}
