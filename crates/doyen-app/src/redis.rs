//! Redis, for data that all nodes share and can lose.
//!
//! One connection per process, which reconnects automatically. Startup does not wait for it, and
//! its users continue without it.

#[cfg(feature = "redis")]
mod connection;
#[cfg(not(feature = "redis"))]
mod none;
#[cfg(feature = "redis")]
mod real;
#[cfg(feature = "redis")]
mod server;

use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::Settings;

use crate::fault::Fault;

/// Redis.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct RedisSettings {
    /// Redis URL: `redis://user:password@host:6379/0`, or `rediss://` for TLS with a certificate
    /// that the operating system trusts. `redis+sentinel://user:password@a:26379,b:26379/service/0`
    /// names Sentinels instead, which know the primary; `rediss+sentinel://` for TLS. If set, all
    /// nodes count rate limits together; otherwise each node counts for itself.
    #[setting(env = "REDIS_URL")]
    pub url: Option<Secret<String>>,
    /// Maximum time that a request waits for Redis to count it. The node then counts for itself
    /// until Redis responds again.
    #[setting(default = "50ms", min = "1ms", max = "10s")]
    pub timeout: Duration,
}

#[cfg(feature = "redis")]
pub use connection::RedisConnection;
#[cfg(not(feature = "redis"))]
pub use none::Redis;
#[cfg(feature = "redis")]
pub use real::Redis;

/// The client library, in the version that this crate uses.
#[cfg(feature = "redis")]
pub use redis as client;

/// Opens the connection if a URL is set.
pub(crate) fn open(settings: &RedisSettings) -> Result<Option<Redis>, Fault> {
    let Some(url) = &settings.url else {
        return Ok(None);
    };
    Redis::open(url.expose(), settings.timeout)
        .map(Some)
        .map_err(|message| Fault::setting("redis.url", message))
}
