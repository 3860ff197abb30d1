//! The request that a thread works on.

use std::cell::Cell;

use super::{RequestId, TraceContext};

std::thread_local! {
    static CURRENT: Cell<Option<(RequestId, TraceContext)>> = const { Cell::new(None) };
}

/// The request this thread is working on right now, if it is working on one. The log asks, so that
/// each line says whose it is.
pub fn current_request() -> Option<(RequestId, TraceContext)> {
    CURRENT.get()
}

/// Runs this as a part of a request. The edge does it around each step of a request's future; what
/// the request spawns is on its own.
pub fn within_request<R>(id: RequestId, trace: TraceContext, work: impl FnOnce() -> R) -> R {
    // Put back even when the work panics: the thread goes on to other requests.
    struct Restore(Option<(RequestId, TraceContext)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some((id, trace))));
    work()
}
