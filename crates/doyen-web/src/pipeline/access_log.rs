//! The metrics and the access log line of a request.
//!
//! The line of a streamed response is written when its body ends, see [`streamed`].

mod streamed;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use doyen_core::inject::Context;
use doyen_core::{
    AccessRecord, AccessSink, Clock as _, DeniedBecause, Observation, Problem, SystemClock,
};
use http::Method;

use super::Pipeline;
use super::state::RequestState;
use crate::Response;
use crate::problem::{Cause, Code, OVERLOADED};

/// Records a request at its end.
pub(super) fn write(
    pipeline: &Pipeline,
    state: &RequestState,
    method: &Method,
    path: &str,
    response: &mut Response,
    started: Instant,
    is_counted: bool,
) {
    // By path template, never by path: the number of series must not grow with traffic.
    let meter = state
        .route
        .as_ref()
        .map_or(&pipeline.unmatched_meter, |route| &route.meter);
    let duration = started.elapsed();
    meter.record(response.status().as_u16(), duration);
    let code = response.extensions().get::<Code>().map(|code| code.0);
    let is_shed = code == Some(OVERLOADED.code);
    if is_shed {
        pipeline.concurrency.note_shed();
    }
    let receivers = Receivers {
        sink: pipeline.access_log.as_ref(),
        observation: state.observation.as_ref(),
    };
    if receivers.sink.is_none() && receivers.observation.is_none() {
        return;
    }
    let route = state.route.as_deref();
    let template = route.map(|route| route.path.as_str());
    let path = match route {
        Some(route) if route.mask_path => Cow::Borrowed(route.path.as_str()),
        Some(_) => Cow::Borrowed(path),
        None => pipeline.masked_paths.without_secrets(path),
    };
    if response.body().is_streamed() {
        streamed::write_at_the_end(receivers, state, method, &path, response, started);
        return;
    }
    let problem: Option<&dyn Problem> = response.extensions().get::<Cause>().map(|cause| &*cause.0);
    let cause = problem.and_then(Problem::cause);
    // The reason of a denial has its own field, so that it can be searched for.
    let denied = cause.and_then(|cause| cause.downcast_ref::<DeniedBecause>());
    let statistics = state
        .context
        .as_ref()
        .map(Context::statistics)
        .unwrap_or_default();
    let record = AccessRecord {
        request_id: state.request_id.as_str(),
        trace_id: state.trace.trace_id(),
        method: method.as_str(),
        path: &path,
        route: template,
        status: response.status().as_u16(),
        duration,
        bytes: http_body::Body::size_hint(response.body())
            .exact()
            .unwrap_or(0),
        client: state.client,
        user: state.caller.as_deref().map(|caller| &*caller.subject),
        queries: statistics.statements,
        query_time: statistics.time,
        problem: code,
        denied_because: denied.map(DeniedBecause::reason),
        shed: is_shed,
        // Anonymous clients can cause any number of these: problems, and requests without a limit.
        sampled: code.is_some()
            || (pipeline.rate_limits.is_some() && !is_counted && state.caller.is_none()),
        cause: cause.filter(|_| denied.is_none()),
        ..AccessRecord::at(SystemClock.now())
    };
    receivers.report(&record);
}

/// Who gets the record of a request.
#[derive(Clone, Copy)]
struct Receivers<'a> {
    sink: Option<&'a Arc<dyn AccessSink>>,
    observation: Option<&'a Arc<dyn Observation>>,
}

impl Receivers<'_> {
    fn report(self, record: &AccessRecord<'_>) {
        if let Some(sink) = self.sink {
            sink.write(record);
        }
        if let Some(observation) = self.observation {
            observation.request_ended(record);
        }
    }
}
