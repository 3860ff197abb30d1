//! The server: one accept loop.
//!
//! It limits connections and the time for a request head, serves HTTP/1.1 and HTTP/2 on one port,
//! and drains:
//!
//! 1. SIGTERM or SIGINT: readiness turns to 503, and every response announces that its connection
//!    closes (`Connection: close`, GOAWAY). The listener stays open for the drain delay, so that
//!    load balancers notice.
//! 2. The listener closes when every connection in its queue is accepted. Connections finish their
//!    requests. An idle connection is kept for a second, because its client may be sending a
//!    request, and is closed only if none has arrived.
//! 3. At the deadline the remaining connections are closed, and their units of work roll back.
//!
//! A second signal skips to the end.
//!
//! HTTP/1.1 is validated before the parser reads it (`socket`, `doyen-http1`). A request that could
//! be read in two ways is rejected, and nothing after it is read.

mod accept;
mod activity;
mod backlog;
mod client_slots;
mod connection;
mod flow;
mod frames;
#[cfg(feature = "tls")]
mod handshake;
mod header_blocks;
mod http2_head;
mod kernel;
mod listen_address;
mod listener;
mod overload;
mod receiving;
mod requests;
mod sending;
mod shutdown;
mod signals;
mod socket;
#[cfg(feature = "tls")]
mod tls_stream;
mod transport;
#[cfg(unix)]
mod unix_socket;

pub use accept::{BindError, Drained, Server};
pub use listen_address::{ListenAddress, SocketMode};
pub use listener::OpenListener;
pub use signals::{ignore_other_signals, shutdown_signal};
pub use transport::Transport;

use std::net::SocketAddr;
use std::time::Duration;

/// What a connection tells about its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionInfo {
    /// The peer address. A Unix socket and a connection within the process have none.
    pub(crate) peer: Option<SocketAddr>,
    /// True if the connection is one of a Unix socket.
    pub(crate) is_unix: bool,
    /// True if the peer speaks TLS to this server.
    pub(crate) is_tls: bool,
}

/// Options of the server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Address to listen on. Port 0 chooses a free port.
    pub bind: ListenAddress,
    /// Permissions of the file of a Unix socket. Default `0660`.
    pub socket_mode: SocketMode,
    /// Certificate for TLS. Default none: connections are not encrypted.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::Tls>,
    /// Maximum concurrent connections. Default 10,000. Further ones get a 503; over TLS they are
    /// closed.
    pub max_connections: usize,
    /// Maximum concurrent connections of one client, which is an IPv4 address or an IPv6 /64
    /// network. Default 5,000. Trusted proxies are exempt.
    pub max_connections_per_client: usize,
    /// Maximum size of a request head in bytes, including the request line. Default 32 KiB.
    pub header_limit: usize,
    /// Maximum time for a request head to arrive. Default 10 s. It begins when the connection is
    /// opened, or with the first byte of a later head. A TLS handshake before it has the same time.
    ///
    /// A client that does not read its response for this long gets a close message. Its connection
    /// is closed if it reads nothing for the same time again.
    pub header_timeout: Duration,
    /// Maximum time between two requests on a connection. Default 75 s, which is longer than load
    /// balancers keep idle connections.
    pub idle_timeout: Duration,
    /// Maximum concurrent streams of an HTTP/2 connection. Default 128.
    pub max_streams: u32,
    /// How long the listener stays open after the signal. Default 0 s. Responses announce the close
    /// of their connections from the signal on.
    pub drain_delay: Duration,
    /// Maximum time for requests to finish after that. Default 20 s.
    pub drain_deadline: Duration,
}

impl ServerOptions {
    /// Creates the default options for this TCP address.
    pub const fn new(bind: SocketAddr) -> Self {
        Self::at(ListenAddress::Tcp(bind))
    }

    /// Creates the default options for this address.
    pub const fn at(bind: ListenAddress) -> Self {
        Self {
            bind,
            socket_mode: SocketMode::GROUP,
            #[cfg(feature = "tls")]
            tls: None,
            max_connections: 10_000,
            max_connections_per_client: 5_000,
            header_limit: 32 << 10,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            max_streams: 128,
            drain_delay: Duration::ZERO,
            drain_deadline: Duration::from_secs(20),
        }
    }

    /// True if connections are encrypted.
    #[cfg_attr(not(feature = "tls"), allow(clippy::unused_self))]
    const fn is_encrypted(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }
}
