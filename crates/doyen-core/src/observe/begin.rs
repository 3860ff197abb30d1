//! The start of work: its position in the trace, and its observation.

use std::sync::Arc;

use super::{Observation, ObservedWork, RequestObserver, WorkKind};
use crate::{RequestId, TraceContext};

/// Begins work below the trace context of its cause. Without a valid one it starts a trace, and the
/// observer decides whether that is recorded.
pub fn begin_work(
    observer: Option<&dyn RequestObserver>,
    kind: WorkKind,
    name: &str,
    request_id: RequestId,
    traceparent: Option<&str>,
) -> (TraceContext, Option<Arc<dyn Observation>>) {
    let Some(observer) = observer else {
        return (TraceContext::continue_or_start(traceparent), None);
    };
    let parent = traceparent.and_then(TraceContext::parse);
    let trace = match parent {
        Some(parent) => parent.child(),
        None => {
            let trace = TraceContext::start(false);
            let is_recorded = observer.records(&trace);
            trace.with_sampled(is_recorded)
        }
    };
    let observation = observer.observe(&ObservedWork {
        kind,
        name,
        request_id,
        trace,
        parent,
    });
    (trace, observation)
}
