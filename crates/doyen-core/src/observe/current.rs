//! The observation of the work that a thread is doing.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::{Observation, ObservedStep, StepKind};
use crate::{RequestId, TraceContext, within_request};

std::thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Observation>>> = const { RefCell::new(None) };
}

/// Returns the observation of the work that this thread is doing, if it is observed. Spawned tasks
/// are not included.
pub fn current_observation() -> Option<Arc<dyn Observation>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs a part of a request, job, event handler or message that traces and the console show under
/// this name. Without an observer it only runs.
///
/// ```
/// # async fn shrink(image: Vec<u8>) -> Vec<u8> { image }
/// # async fn upload(image: Vec<u8>) {
/// let small = doyen_core::span("shrink image", shrink(image)).await;
/// # }
/// ```
pub async fn span<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let observed = current_observation().map(|one| (one, Instant::now()));
    let done = work.await;
    if let Some((observation, started)) = observed {
        observation.step(&ObservedStep {
            kind: StepKind::Internal,
            name,
            started,
            time: started.elapsed(),
            span: None,
            error: None,
            attributes: &[],
        });
    }
    done
}

/// Runs one poll of observed work.
pub fn within_observation<R>(observation: &Arc<dyn Observation>, work: impl FnOnce() -> R) -> R {
    // Restored even if the work panics: the thread continues with other work.
    struct Restore(Option<Arc<dyn Observation>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(CURRENT.replace(Some(Arc::clone(observation))));
    observation.poll_begins();
    let result = work();
    observation.poll_ended();
    result
}

/// Runs work with its ids, which its log lines carry, and with its observation. The work is pinned
/// by the caller: to move a large future costs more than to run a small one.
pub async fn within_work<F: Future>(
    id: RequestId,
    trace: TraceContext,
    observation: Option<&Arc<dyn Observation>>,
    mut work: Pin<&mut F>,
) -> F::Output {
    poll_fn(|cx| {
        within_request(id, trace, || match observation {
            None => work.as_mut().poll(cx),
            Some(observed) => within_observation(observed, || work.as_mut().poll(cx)),
        })
    })
    .await
}
