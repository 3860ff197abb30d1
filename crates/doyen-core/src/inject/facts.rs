//! The facts of a request that exist from the start.

use std::sync::Arc;
use std::time::Instant;

use crate::{Access, Caller, Observation, RequestId, TraceContext};

/// The facts of a request when its context begins. Each can be injected; as named fields they cost
/// no lookup.
///
/// A fact that is not set is created on first use, as in a job.
#[derive(Clone, Debug, Default)]
pub struct RequestFacts {
    /// Read or write access.
    pub access: Option<Access>,
    /// Request id.
    pub request_id: Option<RequestId>,
    /// Trace context.
    pub trace: Option<TraceContext>,
    /// The time at which the work is given up: the timeout of the route.
    pub deadline: Option<Instant>,
    /// The caller: `Some(None)` after identification found none.
    pub caller: Option<Option<Arc<Caller>>>,
    /// The observation of the request, if it is observed.
    pub observation: Option<Arc<dyn Observation>>,
}
