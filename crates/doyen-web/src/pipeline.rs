//! The request pipeline: every step of a request, in order.
//!
//! Each step is a small file with a plain function. `handle` and `dispatch` call them, with the
//! reason for the position where it is not obvious. The steps before the router run for every
//! request, those after it follow the policies of the route.
//!
//! | file | contents |
//! | --- | --- |
//! | `handle` | what surrounds every request: ids, panics, headers, the access log |
//! | `outer` | layers of the application around `dispatch` |
//! | `dispatch` | from the request head to the handler and the commit |
//! | the others | one step each |

mod access_log;
mod authorize;
mod cleanup;
mod client_address;
mod compression;
mod concurrency_class;
mod cors;
mod dispatch;
mod handle;
mod hashed_body;
mod headers;
mod hosts;
mod idempotency;
mod identify;
mod masked_paths;
mod observation;
mod outer;
mod panics;
mod query;
mod rate_limit;
mod rejection;
mod response_cache;
mod size_limits;
mod slashes;
mod state;
mod vary;
mod version;

pub(crate) use identify::of_head as identify_head;
pub(crate) use masked_paths::MaskedPaths;

pub(crate) use headers::{BaseHeaders, security_header_lines};
pub(crate) use outer::{outer, refuse_with};
pub(crate) use response_cache::stored;

use std::sync::Arc;

use doyen_core::inject::Container;
use doyen_core::{AccessSink, Idempotency, Identify, RequestObserver};
use tokio_util::task::TaskTracker;

use crate::around::Stack;
use crate::concurrency::ConcurrencyLimit;
use crate::meter::Meter;
use crate::options::EdgeOptions;
use crate::problem::{Challenges, ProblemWriter};
use crate::rate_limits::{RateLimits, RouteLimits};
use crate::router::Router;
use crate::versions::VersionSet;

/// What the pipeline needs to handle requests.
pub(crate) struct Pipeline {
    /// The layers around the router, if there are any.
    pub(crate) outer: Option<Stack>,
    pub(crate) router: Router,
    /// For requests that match no route.
    pub(crate) unmatched_meter: Meter,
    pub(crate) container: Container,
    pub(crate) identify: Option<Arc<dyn Identify>>,
    pub(crate) idempotency: Option<Arc<dyn Idempotency>>,
    pub(crate) versions: Option<Arc<VersionSet>>,
    pub(crate) rate_limits: Option<RateLimits>,
    /// Paths that are not logged whole, although they match no route.
    pub(crate) masked_paths: MaskedPaths,
    /// For requests that match no route.
    pub(crate) unmatched_limits: Option<RouteLimits>,
    pub(crate) access_log: Option<Arc<dyn AccessSink>>,
    pub(crate) observer: Option<Arc<dyn RequestObserver>>,
    pub(crate) problems: ProblemWriter,
    /// The `WWW-Authenticate` of a 401: the schemes of the application.
    pub(crate) challenges: Challenges,
    /// True if a credential can be elsewhere than in `Authorization`, `X-API-Key` and `Cookie`.
    pub(crate) has_other_credentials: bool,
    /// The largest body limit of all routes, for layers around the router.
    pub(crate) max_body: usize,
    pub(crate) options: EdgeOptions,
    pub(crate) base_headers: BaseHeaders,
    pub(crate) concurrency: ConcurrencyLimit,
    /// Closed from the start, so that to wait for it means to wait until it is empty.
    pub(crate) cleanups: TaskTracker,
}
