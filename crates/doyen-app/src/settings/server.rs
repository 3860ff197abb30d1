//! Settings of the public listener.

use std::time::Duration;

use doyen_settings::{ByteSize, Settings};
use doyen_web::{
    Cors, EdgeOptions, ForwardedHeader, HostName, InvalidCors, ListenAddress, Origin as CorsOrigin,
    RootPath, ServerOptions, SocketMode, TrustedProxies, TrustedProxy,
};

use crate::tls::TlsSettings;

/// The public listener and its limits.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct ServerSettings {
    /// Address and port of the public listener, or the path of a Unix socket:
    /// `unix:/run/shop/shop.sock`. Port 0 selects a free port.
    #[setting(default = "127.0.0.1:8000")]
    pub bind: ListenAddress,
    /// Permissions of the file of a Unix socket. A process that may write to the file can connect:
    /// with the default, those of the same user and of the same group.
    #[setting(default = "0660")]
    pub socket_mode: SocketMode,
    /// TLS of the public listener.
    #[setting(section)]
    pub tls: TlsSettings,
    /// Maximum concurrent connections. Further connections get a 503; over TLS they are closed.
    #[setting(default = 10000, min = 1, max = 1000000)]
    pub max_connections: u32,
    /// Maximum concurrent connections of one client. An IPv6 client is its 64-bit network. If not
    /// set, half of `max_connections`. Trusted proxies are exempt.
    #[setting(min = 1, max = 1000000)]
    pub max_connections_per_client: Option<u32>,
    /// Maximum concurrent requests. Further requests get a 503. `/livez` and `/readyz` are exempt.
    #[setting(default = 1024, min = 1, max = 1000000)]
    pub max_concurrent_requests: u32,
    /// Maximum bytes held for all clients together: incomplete requests, request bodies until their
    /// handler returns, and responses until they are written. Above it, the client that holds the
    /// most is disconnected. A connection with a quarter of it unread gets a 503 until it reads.
    /// Default: 32 MiB, or four times `server.body_limit` if that is more.
    pub buffer_limit: Option<ByteSize>,
    /// Hosts to serve: `api.example.com`, `api.example.com:8443`, `*.example.com`. Requests for
    /// other hosts get a 421, except `/livez` and `/readyz`. If empty, every host is served.
    #[setting(default = [])]
    pub hosts: Vec<HostName>,
    /// Proxies whose forwarding headers are trusted for the client address: `10.0.0.7`,
    /// `10.1.0.0/16`, or `unix` for every process that connects to the Unix socket. Never list all
    /// addresses.
    #[setting(default = [])]
    pub trusted_proxies: Vec<TrustedProxy>,
    /// Header in which trusted proxies send the client address. `x-forwarded-for` also reads
    /// `X-Forwarded-Proto`. The other header is ignored.
    #[setting(default = "x-forwarded-for")]
    pub forwarded_field: ForwardedHeader,
    /// Prefix that a proxy removes from the path of each request: `/api/v1`. Links, redirects,
    /// problems, the OpenAPI document and its page then have it. If not set, public paths are those
    /// of the routes.
    pub root_path: Option<String>,
    /// Maximum time for a client to send a request header or to read the next part of a response,
    /// and for a TLS handshake. The connection is then closed.
    #[setting(default = "10s", min = "1s", max = "5m")]
    pub header_timeout: Duration,
    /// Maximum time between two requests on a connection. The connection is then closed. Set it
    /// higher than the idle timeout of a load balancer, which is often 60 s.
    #[setting(default = "75s", min = "1s", max = "1h")]
    pub idle_timeout: Duration,
    /// Maximum time for a request body to arrive. A slower request gets a 408.
    #[setting(default = "10s", min = "1s", max = "10m")]
    pub body_timeout: Duration,
    /// Maximum size of a request body, unless the route sets its own. A larger body gets a 413.
    #[setting(default = "1 MiB")]
    pub body_limit: ByteSize,
    /// Maximum duration of a request, unless the route sets its own. A slower request gets a 503.
    #[setting(default = "30s", min = "100ms", max = "10m")]
    pub request_timeout: Duration,
    /// Adds the security headers for browsers to responses. Disable it if a gateway sets them.
    #[setting(default = true)]
    pub security_headers: bool,
    /// Compresses responses of at least 1 KiB and streams, with gzip, and with Zstandard and
    /// Brotli if the features `zstd` and `brotli` are built in. The client chooses. Disable it if a
    /// gateway compresses.
    #[setting(default = true)]
    pub compression: bool,
    /// Origins that may call the API from a browser (CORS), such as `https://app.example.com`. `*`
    /// allows every origin, without credentials.
    #[setting(default = [])]
    pub cors_origins: Vec<CorsOrigin>,
    /// Allows cross-origin requests with cookies. Access tokens do not need it.
    #[setting(default = false)]
    pub cors_credentials: bool,
    /// Time that a browser may cache the result of a CORS preflight request.
    #[setting(default = "10m", max = "24h")]
    pub cors_max_age: Duration,
    /// Time after SIGTERM during which the listener stays open while `/readyz` returns 503.
    /// Responses announce meanwhile that their connection closes.
    #[setting(default = "0s", max = "5m")]
    pub drain_delay: Duration,
    /// Maximum time for open requests to finish after `drain_delay`. Remaining connections are then
    /// closed, and the exit code is 1 if one of them had an unfinished request. Plugins then have
    /// 10 s together to stop.
    #[setting(default = "20s", max = "10m")]
    pub drain_deadline: Duration,
}

impl ServerSettings {
    /// Returns the scheme of its URLs.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.certificate.is_some() {
            "https"
        } else {
            "http"
        }
    }

    pub(crate) fn server(&self) -> ServerOptions {
        ServerOptions {
            max_connections: self.max_connections as usize,
            max_connections_per_client: self
                .max_connections_per_client
                .unwrap_or_else(|| self.max_connections.div_ceil(2))
                as usize,
            header_timeout: self.header_timeout,
            idle_timeout: self.idle_timeout,
            drain_delay: self.drain_delay,
            drain_deadline: self.drain_deadline,
            socket_mode: self.socket_mode,
            ..ServerOptions::at(self.bind.clone())
        }
    }

    /// Returns the URL of the listener on this machine. A Unix socket has none; what is made from
    /// this URL then has a host that a reader recognizes as local.
    pub(crate) fn local_url(&self) -> String {
        let scheme = self.scheme();
        match self.bind.tcp() {
            Some(address) => format!("{scheme}://localhost:{}", address.port()),
            None => format!("{scheme}://localhost"),
        }
    }

    /// Returns what is unwise about the client addresses of a Unix socket.
    pub(crate) fn socket_warning(&self) -> Option<&'static str> {
        self.bind.unix()?;
        let is_trusted = self.trusted_proxies.contains(&TrustedProxy::Unix);
        match (is_trusted, self.socket_mode.is_open_to_all()) {
            (false, _) => Some(
                "`server.bind` is a Unix socket and `server.trusted_proxies` does not contain `unix`: \
                 requests have no client address, and limits by address count them as one client",
            ),
            (true, true) => Some(
                "`server.trusted_proxies` contains `unix` and `server.socket_mode` lets every user \
                 connect: unless the folder keeps them out, each can claim any client address",
            ),
            (true, false) => None,
        }
    }

    /// Returns the options of the edge, or the key of an invalid setting and the reason.
    pub(crate) fn edge(&self) -> Result<EdgeOptions, (&'static str, String)> {
        let proxies = TrustedProxies::new(self.trusted_proxies.clone(), self.forwarded_field)
            .map_err(|error| ("server.trusted_proxies", error.to_string()))?;
        let root_path = RootPath::new(self.root_path.as_deref().unwrap_or_default())
            .map_err(|error| ("server.root_path", error.to_string()))?;
        Ok(EdgeOptions {
            root_path,
            timeout: self.request_timeout,
            body_limit: usize::try_from(self.body_limit.bytes()).unwrap_or(usize::MAX),
            body_time: self.body_timeout,
            security_headers: self.security_headers,
            cors: self.cors().map_err(|error| {
                let key = match error {
                    InvalidCors::AnyWithCredentials => "server.cors_credentials",
                    InvalidCors::AnyAmongOthers => "server.cors_origins",
                };
                (key, error.to_string())
            })?,
            hosts: self.hosts.clone(),
            proxies,
            max_requests: self.max_concurrent_requests as usize,
            buffer_limit: self.buffer_limit()?,
            compression: self.compression,
            ..EdgeOptions::default()
        })
    }

    fn buffer_limit(&self) -> Result<usize, (&'static str, String)> {
        let body = self.body_limit.bytes();
        // One body may take a quarter.
        let least = body.saturating_mul(4);
        let bytes = match self.buffer_limit {
            Some(set) if set.bytes() < least => {
                return Err((
                    "server.buffer_limit",
                    format!(
                        "it must be at least four times `server.body_limit`, which is {body} bytes: \
                         one body may take a quarter of it"
                    ),
                ));
            }
            Some(set) => set.bytes(),
            None => least.max(EdgeOptions::default().buffer_limit as u64),
        };
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn cors(&self) -> Result<Option<Cors>, InvalidCors> {
        if self.cors_origins.is_empty() {
            return Ok(None);
        }
        let origins = self.cors_origins.clone();
        Cors::new(origins, self.cors_credentials, self.cors_max_age).map(Some)
    }
}
