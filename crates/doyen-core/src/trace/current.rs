//! The current request of a thread.

use std::cell::Cell;

use super::{RequestId, TraceContext};

std::thread_local! {
    static CURRENT: Cell<Option<(RequestId, TraceContext)>> = const { Cell::new(None) };
}

/// Returns the request that this thread is working on, if any. The log adds it to each line.
pub fn current_request() -> Option<(RequestId, TraceContext)> {
    CURRENT.get()
}

/// Runs this as a part of a request. The pipeline does this around each poll of a request's future;
/// spawned tasks are not included.
pub fn within_request<R>(id: RequestId, trace: TraceContext, work: impl FnOnce() -> R) -> R {
    // Restored even if the work panics: the thread continues with other requests.
    struct Restore(Option<(RequestId, TraceContext)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some((id, trace))));
    work()
}
