//! The server: one accept loop of our own.
//!
//! It caps connections, bounds the time a client may take to send its header, speaks HTTP/1.1 and HTTP/2 on one port, and drains:
//!
//! 1. SIGTERM or SIGINT: readiness turns to 503, the listener stays open for the drain delay, so that balancers notice.
//! 2. The listener closes; idle connections are closed, busy ones finish their request (`Connection: close`, GOAWAY).
//! 3. After the deadline whatever is left is cut; its units of work roll back.
//!
//! A second signal skips to the end. TLS is the balancer's, or a later feature.
//!
//! What comes over HTTP/1.1 is looked at before the parser reads it (`wire`, `framing`, `head`, `chunks`): what could be read two ways is
//! refused, and nothing after it is read.

mod accept;
mod activity;

mod connection;
mod drain;
mod flow;
mod frames;

mod http2_head;
mod places;
mod requests;
mod sending;
mod socket;

pub use accept::{BindError, Server};

use std::net::SocketAddr;
use std::time::Duration;

/// How the server treats connections.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// How many connections at once: 10,000. One more is told 503 and closed.
    pub max_connections: usize,
    /// How many of them one address may have, one /64 of IPv6: half of all. A trusted proxy may have all.
    pub max_connections_per_client: usize,
    /// How many bytes the header of a request may have, its first line included: 32 KiB.
    pub header_limit: usize,
    /// How long a client may take to send the header of a request, and how long an idle connection is kept: 10 s.
    ///
    /// A client that takes nothing of its answer for that long is told good-bye, and cut if it still takes nothing for as long again.
    pub header_timeout: Duration,
    /// How many streams one HTTP/2 connection may have at once: 128.
    pub max_streams: u32,
    /// How long the listener stays open after the signal: 0 s.
    pub drain_delay: Duration,
    /// How long requests may take to finish after that: 20 s.
    pub drain_deadline: Duration,
}

impl ServerOptions {
    /// The defaults, on this address.
    pub const fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            max_connections: 10_000,
            max_connections_per_client: 5_000,
            header_limit: 32 << 10,
            header_timeout: Duration::from_secs(10),
            max_streams: 128,
            drain_delay: Duration::ZERO,
            drain_deadline: Duration::from_secs(20),
        }
    }
}
