//! What the second tier returns.

use std::time::Duration;

use bytes::Bytes;

use crate::SharedLease;

/// A value of the second tier.
pub(crate) struct SharedValue {
    pub(crate) value: Option<Bytes>,
    pub(crate) fresh_for: Duration,
    pub(crate) usable_for: Duration,
}

/// The answer to a read that would load.
#[cfg_attr(
    not(feature = "redis"),
    allow(dead_code, reason = "Redis creates them")
)]
pub(crate) enum Begin {
    /// The value is there.
    Fresh(SharedValue),
    /// This node loads. There may be an expired value.
    Load(Option<SharedValue>, SharedLease),
    /// Another node loads. There may be an expired value.
    Busy(Option<SharedValue>),
    /// The tier is unavailable.
    Unavailable,
}
