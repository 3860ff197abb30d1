//! The end of a load.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use doyen_core::cache::{CacheKey, CachePolicy, LeaseEnd};

use crate::SharedLease;
use crate::counters::count;
use crate::engine::Inner;
use crate::flights::{Flight, Outcome};
use crate::loads::Load;
use crate::slots::View;

/// A load in progress. Dropped, it releases what waits for it.
pub(crate) struct Lease {
    inner: Arc<Inner>,
    key: CacheKey,
    policy: CachePolicy,
    view: View,
    flight: Option<Flight>,
    load: Load,
    shared: Option<SharedLease>,
}

impl Lease {
    pub(crate) fn new(
        inner: Arc<Inner>,
        key: CacheKey,
        policy: CachePolicy,
        view: View,
        flight: Flight,
        load: Load,
        shared: Option<SharedLease>,
    ) -> Self {
        Self {
            inner,
            key,
            policy,
            view,
            flight: Some(flight),
            load,
            shared,
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(flight) = self.flight.take() {
            flight.finish(outcome);
        }
    }
}

#[async_trait]
impl LeaseEnd for Lease {
    async fn complete(mut self: Box<Self>, value: Option<Bytes>) {
        let inner = Arc::clone(&self.inner);
        count(&inner.counters.loads);
        let fresh_for = jittered(self.policy.ttl(value.is_none()));
        let stale_for = self.policy.stale_for(value.is_none());
        let view = self.view.clone();
        let kept = inner.keep(
            &self.key,
            &self.policy,
            view,
            value.clone(),
            fresh_for,
            stale_for,
        );
        self.finish(Outcome::Value(value.clone()));
        if let (Some(shared), Some(lease)) = (&inner.shared, self.shared.take()) {
            if kept {
                let value = value.as_deref();
                shared
                    .store(lease, &self.key, &self.view, value, fresh_for, stale_for)
                    .await;
            } else {
                shared.release(lease);
            }
        }
    }

    fn fail(mut self: Box<Self>) {
        count(&self.inner.counters.failed_loads);
        self.finish(Outcome::Failed);
        // The drop releases the lease in Redis.
    }

    fn concurrent_loads(&self) -> u32 {
        self.load.concurrent
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.flight.is_some() {
            count(&self.inner.counters.abandoned_loads);
        }
        if let (Some(shared), Some(lease)) = (&self.inner.shared, self.shared.take()) {
            shared.release(lease);
        }
    }
}

/// Takes off up to a tenth, so that values that were stored together do not expire together.
fn jittered(ttl: Duration) -> Duration {
    // Each state has other random keys.
    let random = RandomState::new().hash_one(ttl) % 1000;
    ttl.saturating_sub(ttl * u32::try_from(random).unwrap_or(0) / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_takes_off_at_most_a_tenth() {
        let ttl = Duration::from_secs(100);
        let all: Vec<Duration> = (0..200).map(|_| jittered(ttl)).collect();
        assert!(all.iter().all(|one| *one <= ttl && *one > ttl * 9 / 10));
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert!(unique.len() > 50, "{}", unique.len());
        assert_eq!(jittered(Duration::ZERO), Duration::ZERO);
    }
}
