//! The data of a mounted route, which the pipeline and the extractors use.

use std::fmt;
use std::time::Duration;

use doyen_core::{Allow, Idempotent, Strictness};

use http::{HeaderName, HeaderValue};

use crate::RootPath;
use crate::cache_rule::RouteCache;
use crate::concurrency_class::RouteClass;
use crate::meter::Meter;
use crate::rate_limits::RouteLimits;
use crate::versions::RouteVersions;

/// A mounted route without the handler.
pub(crate) struct RouteInfo {
    pub(crate) method: &'static str,
    /// The path template.
    pub(crate) path: String,
    /// What the public URLs have before it.
    pub(crate) root_path: RootPath,
    pub(crate) allow: Allow,
    /// The fields that `?fields=` can select.
    pub(crate) fields: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) body_limit: usize,
    /// True if `?fields=` selects the fields to return.
    pub(crate) sparse: bool,
    /// True if the route serves every path below its own, and reads the query itself.
    pub(crate) subtree: bool,
    /// True if it opens WebSockets.
    pub(crate) is_socket: bool,
    /// The WebSocket subprotocol.
    pub(crate) protocol: Option<&'static str>,
    /// True if the access log must not contain the path.
    pub(crate) mask_path: bool,
    /// How strictly requests are read.
    pub(crate) strictness: Strictness,
    /// The query parameters that the route reads.
    pub(crate) query_names: Vec<String>,
    /// True if other parameters are ignored.
    pub(crate) open_query: bool,
    /// Headers of every response.
    pub(crate) response_headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) limits: Option<RouteLimits>,
    /// Bounds the concurrent requests of an expensive route.
    pub(crate) class: Option<RouteClass>,
    /// Whether it takes an `Idempotency-Key`. `None` also without a store of keys.
    pub(crate) idempotent: Option<Idempotent>,
    /// True if the handler reads the body while it arrives.
    pub(crate) streams_body: bool,
    /// Where the schemas that changed occur; `None` for a route without versions.
    pub(crate) versions: Option<RouteVersions>,
    /// Who may keep the responses.
    pub(crate) cache: Option<RouteCache>,
    pub(crate) meter: Meter,
}

impl fmt::Debug for RouteInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
