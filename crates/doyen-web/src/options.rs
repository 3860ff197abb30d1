//! The options of the edge.

mod cors;
mod hosts;
mod origin;
mod proxies;

pub use cors::{Cors, InvalidCors};
pub use hosts::{HostName, InvalidHostName};
pub use origin::{InvalidOrigin, Origin};
pub use proxies::{
    Cidr, ForwardedHeader, InvalidCidr, TrustedProxies, TrustedProxy, TrustsAllAddresses,
};

use std::time::Duration;

use doyen_core::Strictness;

use crate::RootPath;

/// Limits and settings of the edge, for routes that do not set their own.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// Maximum duration of a request. Default 30 s. Longer ones get a 503.
    pub timeout: Duration,
    /// Maximum size of a request body in bytes. Default 1 MiB. Larger ones get a 413.
    pub body_limit: usize,
    /// Maximum time for a request body to arrive. Default 10 s. Later ones get a 408.
    pub body_time: Duration,
    /// Maximum length of path and query together, in bytes. Default 8 KiB. Longer ones get a 414.
    pub uri_limit: usize,
    /// Hosts that the service responds to; others get a 421. Empty for all hosts, the default.
    pub hosts: Vec<HostName>,
    /// Whether the service is for operators. It then responds to `hosts`, `localhost` and IP
    /// addresses only, and health probes are no exception. Default false.
    pub internal: bool,
    /// Proxies whose report of the client address is trusted. Default none.
    pub proxies: TrustedProxies,
    /// Maximum concurrent requests. Default 1,024. Further ones get a 503.
    ///
    /// Multiplied by the largest body this must fit into memory: with 1 MiB it is 1 GiB. At 100 ms
    /// per request, 1,024 concurrent requests are 10,000 per second.
    pub max_requests: usize,
    /// Maximum bytes held for clients at once: requests that are still arriving, request bodies
    /// until their handler is done, and responses that are not read yet. Default 32 MiB. At the
    /// limit the client that holds the most is disconnected. One connection gets no further
    /// responses while it holds a quarter. A single body counts as at most a quarter.
    pub buffer_limit: usize,
    /// Whether responses have security headers for browsers. Default true.
    pub security_headers: bool,
    /// Pages of other origins that may call the API. Default none.
    pub cors: Option<Cors>,
    /// Whether responses of at least 1 KiB and streams are compressed for clients that accept a
    /// coding that is built in. Default true.
    pub compression: bool,
    /// Prefix that a proxy removes from the path of each request. Links, redirects and problems
    /// have it. Default none.
    pub root_path: RootPath,
    /// How strictly requests are read, unless their route says otherwise. Default: everything is
    /// strict.
    pub strictness: Strictness,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            body_limit: 1 << 20,
            body_time: Duration::from_secs(10),
            uri_limit: 8 << 10,
            hosts: Vec::new(),
            internal: false,
            proxies: TrustedProxies::default(),
            max_requests: 1_024,
            buffer_limit: 32 << 20,
            security_headers: true,
            cors: None,
            compression: true,
            root_path: RootPath::default(),
            strictness: Strictness::new(),
        }
    }
}
