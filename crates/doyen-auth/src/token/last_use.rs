//! When a token was last used.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use doyen_core::Timestamp;

use crate::Claims;

/// Minimum time between two reports of one token.
const REPORT_INTERVAL_MICROS: u64 = 1_000_000;

/// Learns that access tokens are used: at most once a second for each token, on the path of the
/// request. It must not wait.
pub trait TokenUses: Send + Sync + 'static {
    /// A valid token was used.
    fn used(&self, claims: &Claims, address: Option<IpAddr>, at: Timestamp);
}

/// Time of the last reported use, in microseconds. It says nothing about the claims it is kept
/// with.
#[derive(Debug)]
pub(crate) struct LastUse(AtomicI64);

impl LastUse {
    pub(super) const fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.micros()))
    }

    /// Returns true if the last report is a second old. Two concurrent uses may both be reported.
    pub(crate) fn is_news(&self, now: Timestamp) -> bool {
        let now = now.micros();
        let is_news = now.abs_diff(self.0.load(Ordering::Relaxed)) >= REPORT_INTERVAL_MICROS;
        if is_news {
            self.0.store(now, Ordering::Relaxed);
        }
        is_news
    }
}

impl Clone for LastUse {
    fn clone(&self) -> Self {
        Self(AtomicI64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl PartialEq for LastUse {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for LastUse {}
