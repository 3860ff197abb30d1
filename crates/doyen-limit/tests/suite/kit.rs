//! A manual clock, and calls on buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use doyen_core::limit::{Decision, Limiter, Verdict};
use doyen_core::{Caller, Clock, Limit, Timestamp};
use doyen_web::limit::{LimitRules, Plan};

/// 2026-11-22T08:30:00Z.
pub(crate) const START: i64 = 1_795_336_200_000_000;

/// A clock that changes only when the test sets it.
#[derive(Clone)]
pub(crate) struct ManualClock(pub(crate) Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }
    pub(crate) fn forward(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// The policies of a route with this name.
pub(crate) fn plan(route: &str, limit: impl Into<Limit>) -> Plan {
    Plan::new(route, Some(&limit.into()), &Arc::new(LimitRules::default())).unwrap()
}

/// Sends one request of this user, on every policy of the route.
pub(crate) async fn ask(limiter: &dyn Limiter, plan: &Plan, user: &str) -> Verdict {
    let caller = Caller::new(user);
    let (charges, count) = plan.charges(Some(&caller), true, None);
    match limiter.charge(&charges[..count]) {
        Decision::Now(verdict) => verdict,
        Decision::Later(verdict) => verdict.await,
    }
}
