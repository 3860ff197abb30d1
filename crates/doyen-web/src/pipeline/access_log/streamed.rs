//! The access log line of a response whose body is produced while it is sent.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use doyen_core::inject::{Context as RequestContext, WorkStats};
use doyen_core::{
    AccessRecord, AccessSink, Caller, Clock as _, Observation, RequestId, SystemClock, TraceContext,
};
use http::Method;
use http_body::{Frame, SizeHint};

use super::Receivers;
use crate::body::BoxError;
use crate::pipeline::state::RequestState;
use crate::route_info::RouteInfo;
use crate::{Body, Response};

/// Lets the body write the line when it ends, or when the client disconnects.
pub(super) fn write_at_the_end(
    receivers: Receivers<'_>,
    state: &RequestState,
    method: &Method,
    path: &str,
    response: &mut Response,
    started: Instant,
) {
    let body = std::mem::take(response.body_mut());
    *response.body_mut() = Body::stream(Logged {
        sink: receivers.sink.cloned(),
        observation: receivers.observation.cloned(),
        request_id: state.request_id,
        trace: state.trace,
        method: method.clone(),
        path: path.to_owned(),
        route: state.route.clone(),
        client: state.client,
        caller: state.caller.clone(),
        statistics: state
            .context
            .as_ref()
            .map(RequestContext::statistics)
            .unwrap_or_default(),
        status: response.status().as_u16(),
        started,
        bytes: 0,
        ended: false,
        body,
    });
}

/// A body that writes the line of its request when it is dropped.
struct Logged {
    sink: Option<Arc<dyn AccessSink>>,
    observation: Option<Arc<dyn Observation>>,
    request_id: RequestId,
    trace: TraceContext,
    method: Method,
    path: String,
    route: Option<Arc<RouteInfo>>,
    client: Option<IpAddr>,
    caller: Option<Arc<Caller>>,
    statistics: WorkStats,
    status: u16,
    started: Instant,
    bytes: u64,
    ended: bool,
    body: Body,
}

impl http_body::Body for Logged {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        match &frame {
            None => this.ended = true,
            Some(Ok(frame)) => this.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let route = self.route.as_ref();
        let record = AccessRecord {
            request_id: self.request_id.as_str(),
            trace_id: self.trace.trace_id(),
            method: self.method.as_str(),
            path: &self.path,
            route: route.map(|route| route.path.as_str()),
            status: self.status,
            duration: self.started.elapsed(),
            bytes: self.bytes,
            aborted: !self.ended && !http_body::Body::is_end_stream(&self.body),
            client: self.client,
            user: self.caller.as_deref().map(|caller| &*caller.subject),
            queries: self.statistics.statements,
            query_time: self.statistics.time,
            ..AccessRecord::at(SystemClock.now())
        };
        let receivers = Receivers {
            sink: self.sink.as_ref(),
            observation: self.observation.as_ref(),
        };
        receivers.report(&record);
    }
}
