//! Settings of the cache.

use std::time::Duration;

use doyen_settings::Settings;

/// Cached values and responses.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct CacheSettings {
    /// Memory for cached values in this process, in bytes. At the limit, the values that are read
    /// least are dropped.
    #[setting(default = 67108864, min = 65536, max = 1099511627776)]
    pub max_bytes: u64,
    /// Maximum size of one value, in bytes. A larger value is not stored.
    #[setting(default = 1048576, min = 1, max = 1073741824)]
    pub max_entry_bytes: u64,
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
            max_bytes: 64 << 20,
            max_entry_bytes: 1 << 20,
            load_timeout: Duration::from_secs(10),
            detached_ttl: Duration::from_secs(5),
        }
    }
}
