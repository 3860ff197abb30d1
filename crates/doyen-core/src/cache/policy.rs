//! How long values of one kind live.

use std::time::Duration;

/// The policy for one kind of cached value. Usually a constant.
///
/// | time since the value was loaded | a read gets |
/// | --- | --- |
/// | up to `ttl`, less a random tenth | the value |
/// | up to `ttl` + `stale` | the value; one request at a time loads a new one, and gets the old one if that fails |
/// | later | a new value; concurrent requests wait for one load |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    pub(crate) name: &'static str,
    pub(crate) ttl: Duration,
    pub(crate) stale: Duration,
    pub(crate) negative: Duration,
    pub(crate) version: u32,
}

impl CachePolicy {
    /// Creates a policy. The name separates kinds of values and is a label of the metrics.
    pub const fn new(name: &'static str, ttl: Duration) -> Self {
        Self {
            name,
            ttl,
            stale: Duration::ZERO,
            negative: ttl,
            version: 1,
        }
    }

    /// Sets how long an expired value is still used while another one is loaded, or if that fails.
    /// Default 0.
    #[must_use]
    pub const fn stale(mut self, stale: Duration) -> Self {
        self.stale = stale;
        self
    }

    /// Sets how long the absence of a value is remembered (see
    /// [`CacheEntry::find_or_load`](super::CacheEntry::find_or_load)). Default: the time to live.
    #[must_use]
    pub const fn negative(mut self, ttl: Duration) -> Self {
        self.negative = ttl;
        self
    }

    /// Sets the version of the type. Increment it when the type changes its meaning or its fields:
    /// values of other versions are never read. Default 1.
    #[must_use]
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Returns the name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the time after which a value is loaded again.
    pub const fn ttl(&self, is_negative: bool) -> Duration {
        if is_negative { self.negative } else { self.ttl }
    }

    /// Returns how long an expired value may be used. A remembered absence is never stale.
    pub const fn stale_for(&self, is_negative: bool) -> Duration {
        if is_negative {
            Duration::ZERO
        } else {
            self.stale
        }
    }
}
