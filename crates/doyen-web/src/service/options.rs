//! The edge's settings.

use std::time::Duration;

use super::{Cors, HostName, TrustedProxies};

/// What the edge allows a request that its route does not say otherwise.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// How long a request may take: 30 s.
    pub timeout: Duration,
    /// How many bytes a body may have: 1 MiB.
    pub body_limit: usize,
    /// How long a body may take to arrive: 10 s.
    pub body_time: Duration,
    /// How many bytes path and query may have together: 8 KiB.
    pub uri_limit: usize,
    /// For which hosts it answers; empty for every one.
    pub hosts: Vec<HostName>,
    /// Which peers may say for whom they ask: none.
    pub proxies: TrustedProxies,
    /// How many requests are worked on at once: 1,024. One more is told 503.
    ///
    /// So many times the largest body fit into memory: with a body of 1 MiB that is 1 GiB. A server whose requests take a tenth of a second
    /// answers ten thousand in a second with as many.
    pub max_requests: usize,
    /// Bytes that are held for clients at once: requests that are still arriving, request bodies
    /// until their handler is done, and responses that are not read yet. Default 32 MiB. At the
    /// limit the client that holds the most is disconnected. One connection gets no further
    /// responses while it holds a quarter. A single body counts as at most a quarter.
    pub buffer_limit: usize,
    /// Whether answers carry the header fields that keep browsers from misusing them: yes.
    pub security_headers: bool,
    /// Which pages of other origins may call: none.
    pub cors: Option<Cors>,
    /// Whether answers of at least 1 KiB are compressed for clients that take gzip: yes.
    pub compression: bool,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            body_limit: 1 << 20,
            body_time: Duration::from_secs(10),
            uri_limit: 8 << 10,
            hosts: Vec::new(),
            proxies: TrustedProxies::default(),
            max_requests: 1_024,
            buffer_limit: 32 << 20,
            security_headers: true,
            cors: None,
            compression: true,
        }
    }
}
