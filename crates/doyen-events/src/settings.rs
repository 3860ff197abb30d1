//! The settings of events.

use std::time::Duration;

use doyen_settings::Settings;

/// Delivery of events.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct EventSettings {
    /// Delivers events in this process. Disable it in processes that only serve requests; at least
    /// one process must deliver.
    #[setting(default = true)]
    pub deliver: bool,
    /// Maximum deliveries to handlers at a time in this process. Further events wait.
    #[setting(default = 8, min = 1, max = 1000)]
    pub concurrency: u16,
    /// Maximum time of one delivery to a handler. It then fails, and its Session is rolled back.
    #[setting(default = "30s", min = "10ms", max = "1h")]
    pub timeout: Duration,
    /// Attempts to deliver an event to a handler. After the last one it is parked: it stays in the
    /// database until `events retry` or `events skip`, and later events of its aggregate wait.
    #[setting(default = 12, min = 1, max = 1000)]
    pub attempts: u16,
    /// Pause after the first failed attempt. Each further pause is twice as long, up to
    /// `events.max_pause`.
    #[setting(default = "1s", min = "1ms", max = "1h")]
    pub pause: Duration,
    /// Maximum pause between two attempts.
    #[setting(default = "5m", min = "1ms", max = "24h")]
    pub max_pause: Duration,
    /// Time after which another process repeats the deliveries of a process that was killed. While
    /// a process runs, it renews its leases.
    #[setting(default = "30s", min = "300ms", max = "1h")]
    pub lease: Duration,
    /// Interval of the search for events that no wake-up announced.
    #[setting(default = "1s", min = "10ms", max = "5m")]
    pub poll: Duration,
    /// Minimum age of a delivered event before it is removed from the log.
    #[setting(default = "7d", min = "1m")]
    pub keep_for: Duration,
    /// Maximum number of events in the log. Beyond it, the oldest delivered ones are removed.
    #[setting(default = 1000000, min = 1000)]
    pub keep_max: u32,
    /// Time for which `Inbox` remembers an id. A duplicate that arrives later is not recognized.
    #[setting(default = "30d", min = "1m")]
    pub keep_inbox: Duration,
    /// Message broker: `redis` (Redis Streams, at `redis.url`), `nats` (NATS JetStream, at
    /// `nats.url`) or `none`.
    #[setting(default = "none")]
    pub broker: BrokerKind,
    /// Name of the stream in the broker. Services that share it exchange events.
    #[setting(default = "events")]
    pub stream: String,
    /// Maximum number of messages in the stream of the broker. Beyond it, the oldest are removed. A
    /// stream of NATS that exists keeps its own limits.
    #[setting(default = 1000000, min = 1000)]
    pub stream_max: u32,
    /// Topics that are published to the broker; `ticket.*` for all that begin with `ticket.`.
    #[setting(default = ["*"])]
    pub publish: Vec<String>,
    /// Topics that are consumed from the broker: their events reach the handlers of this
    /// application like its own.
    #[setting(default = [])]
    pub consume: Vec<String>,
    /// Name of the consumer group, shared by all nodes. If not set, the name of the application.
    pub group: Option<String>,
}

/// The message broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum BrokerKind {
    /// No broker: events stay in this application.
    None,
    /// Redis Streams.
    Redis,
    /// NATS JetStream.
    Nats,
}
