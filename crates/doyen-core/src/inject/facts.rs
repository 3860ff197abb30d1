//! What is known of a request before anybody asks.

use std::sync::Arc;

use crate::{Access, Caller, RequestId, TraceContext};

/// What the edge knows of a request when its context begins. Each can be injected; keeping them
/// here, by name, costs a request nothing.
///
/// A fact that is not set is created on first use, as in a job.
#[derive(Clone, Debug, Default)]
pub struct RequestFacts {
    /// Whether it may change anything.
    pub access: Option<Access>,
    /// Its id.
    pub request_id: Option<RequestId>,
    /// Its place in a trace.
    pub trace: Option<TraceContext>,
    /// The caller: `Some(None)` after identification found none.
    pub caller: Option<Option<Arc<Caller>>>,
}
