//! What is known about a request when it ends, however it ends.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use doyen_core::inject::Context;
use doyen_core::{Caller, Observation, RequestId, TraceContext};

use super::cleanup::CleanupGuard;
use super::rate_limit::RateLimitHeaders;
use crate::route_info::RouteInfo;
use crate::versions::ActiveVersion;

/// The state of one request. Steps add to it as they run.
pub(super) struct RequestState {
    pub(super) started: Instant,
    pub(super) request_id: RequestId,
    pub(super) trace: TraceContext,
    pub(super) peer: Option<SocketAddr>,
    pub(super) client: Option<IpAddr>,
    pub(super) route: Option<Arc<RouteInfo>>,
    pub(super) context: Option<Context>,
    pub(super) caller: Option<Arc<Caller>>,
    pub(super) rate_limit: Option<RateLimitHeaders>,
    pub(super) version: Option<ActiveVersion>,
    pub(super) guard: Option<CleanupGuard>,
    /// Set if the request is observed.
    pub(super) observation: Option<Arc<dyn Observation>>,
}

impl RequestState {
    /// Moves what steps have added to the other state.
    pub(super) fn move_into(&mut self, other: &mut Self) {
        other.route = self.route.take();
        other.context = self.context.take();
        other.caller = self.caller.take();
        other.rate_limit = self.rate_limit.take();
        other.version = self.version.take();
        other.guard = self.guard.take();
    }

    /// Returns a state to which no step has added anything.
    pub(super) fn fresh(&self) -> Self {
        Self {
            started: self.started,
            request_id: self.request_id,
            trace: self.trace,
            peer: self.peer,
            client: self.client,
            route: None,
            context: None,
            caller: None,
            rate_limit: None,
            version: None,
            guard: None,
            observation: self.observation.clone(),
        }
    }
}
