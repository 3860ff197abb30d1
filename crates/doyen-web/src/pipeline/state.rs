//! What is known about a request when it ends, however it ends.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use doyen_core::inject::Context;
use doyen_core::{Caller, RequestId, TraceContext};

use super::cleanup::CleanupGuard;
use super::rate_limit::RateLimitHeaders;
use crate::route_info::RouteInfo;

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
    pub(super) guard: Option<CleanupGuard>,
}
