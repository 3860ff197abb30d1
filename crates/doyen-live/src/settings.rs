//! The settings of live connections.

use std::time::Duration;

use doyen_settings::Settings;

/// Live connections: WebSockets and server-sent events.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct LiveSettings {
    /// Maximum live connections of this process. Further ones get a 429.
    #[setting(default = 10000, min = 1)]
    pub max_connections: u32,
    /// Maximum live connections of one user in this process. Further ones get a 429.
    #[setting(default = 50, min = 1)]
    pub max_per_user: u32,
    /// Maximum live connections of one client address in this process. Further ones get a 429.
    #[setting(default = 1000, min = 1)]
    pub max_per_address: u32,
    /// Maximum topics of one socket. Further subscriptions are rejected.
    #[setting(default = 100, min = 1)]
    pub max_topics: u32,
    /// Events and messages that wait for one connection. Further events are read from the event log
    /// later, and further messages that are not stored are lost.
    #[setting(default = 256, min = 1, max = 65536)]
    pub buffer: u32,
    /// Maximum time that a client takes to accept a message of a socket, or one second while its
    /// buffer is full. The socket is then closed (1013).
    #[setting(default = "10s", min = "10ms", max = "10m")]
    pub write_timeout: Duration,
    /// Maximum size of a message from a client, in bytes. A larger one closes the socket (1009).
    #[setting(default = 65536, min = 128, max = 16777216)]
    pub max_message: u32,
    /// Messages that one socket may send in a second, with a burst of twice as many. Further ones
    /// are rejected, and the socket is closed (1008) if they go on.
    #[setting(default = 20, min = 1, max = 100000)]
    pub messages_per_second: u32,
    /// Interval of the pings of a socket. A peer that sends nothing for two intervals is
    /// disconnected.
    #[setting(default = "25s", min = "20ms", max = "10m")]
    pub heartbeat: Duration,
    /// Interval of the comments of a stream without events, which keep proxies from closing it.
    #[setting(default = "15s", min = "20ms", max = "10m")]
    pub comment_interval: Duration,
    /// Maximum time for which a socket may have no subscription and send no message. It is then
    /// closed.
    #[setting(default = "5m", min = "20ms", max = "24h")]
    pub idle_timeout: Duration,
    /// Interval at which the caller of a connection is identified again. A connection ends within
    /// this time after a logout, a change of rights or the expiry of its token is known.
    #[setting(default = "2s", min = "20ms", max = "4s")]
    pub recheck: Duration,
    /// Time over which clients spread their reconnects after this process has closed their
    /// connections.
    #[setting(default = "10s", min = "100ms", max = "10m")]
    pub reconnect_spread: Duration,
    /// Lifetime of a single-use connection token.
    #[setting(default = "60s", min = "1s", max = "10m")]
    pub token_lifetime: Duration,
    /// Interval of the search for events that no wake-up announced.
    #[setting(default = "1s", min = "10ms", max = "1m")]
    pub poll: Duration,
    /// Interval at which this process reports its present users. A process that reports nothing for
    /// three intervals no longer counts.
    #[setting(default = "5s", min = "50ms", max = "8s")]
    pub presence_interval: Duration,
    /// Origins whose pages may open sockets, such as `https://app.example.com`, in addition to the
    /// host of the request itself.
    #[setting(default = [])]
    pub origins: Vec<String>,
    /// Serves the AsyncAPI document of the sockets at `/asyncapi.json`. If not set, `false` in
    /// `prod` and `true` otherwise.
    pub document: Option<bool>,
}
