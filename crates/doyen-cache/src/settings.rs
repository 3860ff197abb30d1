//! Settings of the cache.

use std::time::Duration;

use doyen_settings::{ByteSize, Settings};

/// Cached values and responses.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct CacheSettings {
    /// Memory for cached values in this process. At the limit, the values that are read least are
    /// dropped.
    #[setting(default = "64 MiB", min = "64 KiB", max = "1 TiB")]
    pub max_bytes: ByteSize,
    /// Maximum size of one value. A larger value is not stored.
    #[setting(default = "1 MiB", min = "1 B", max = "1 GiB")]
    pub max_entry_bytes: ByteSize,
    /// Maximum time that a request waits for a load of another request or node. It then loads for
    /// itself. A node that stops during a load delays the others by this time at most.
    #[setting(default = "10s", min = "10ms", max = "10m")]
    pub load_timeout: Duration,
    /// While Redis is unreachable, this node does not learn what other nodes change: the maximum
    /// age of the values that it still uses. 0 uses none.
    #[setting(default = "5s", min = "0s", max = "1h")]
    pub detached_ttl: Duration,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_bytes: ByteSize::mib(64),
            max_entry_bytes: ByteSize::mib(1),
            load_timeout: Duration::from_secs(10),
            detached_ttl: Duration::from_secs(5),
        }
    }
}
