//! What is counted of each policy. Their number is bounded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use doyen_core::cache::CachePolicy;
use doyen_core::sync::lock;

/// Maximum number of policies that are counted apart. Further ones are counted together.
const MAX_POLICIES: usize = 256;
/// The name of those.
const FURTHER: &str = "(further policies)";

/// The counters of one policy.
pub(crate) struct PolicyCounters {
    pub(crate) name: &'static str,
    /// Reads that found a fresh value in this process.
    pub(crate) hits: AtomicU64,
    /// Reads that found none.
    pub(crate) misses: AtomicU64,
}

/// The counters of all policies that were read.
#[derive(Default)]
pub(crate) struct Policies(Mutex<HashMap<&'static str, Arc<PolicyCounters>>>);

impl Policies {
    pub(crate) fn of(&self, policy: &CachePolicy) -> Arc<PolicyCounters> {
        let mut known = lock(&self.0);
        let is_full = known.len() >= MAX_POLICIES && !known.contains_key(policy.name());
        let name = if is_full { FURTHER } else { policy.name() };
        let counters = known.entry(name).or_insert_with(|| {
            Arc::new(PolicyCounters {
                name,
                hits: AtomicU64::new(0),
                misses: AtomicU64::new(0),
            })
        });
        Arc::clone(counters)
    }

    pub(crate) fn all(&self) -> Vec<Arc<PolicyCounters>> {
        let mut all: Vec<_> = lock(&self.0).values().cloned().collect();
        all.sort_unstable_by_key(|one| one.name);
        all
    }

    pub(crate) fn hits(&self) -> u64 {
        let read = |one: &Arc<PolicyCounters>| one.hits.load(Ordering::Relaxed);
        lock(&self.0).values().map(read).sum()
    }

    pub(crate) fn misses(&self) -> u64 {
        let read = |one: &Arc<PolicyCounters>| one.misses.load(Ordering::Relaxed);
        lock(&self.0).values().map(read).sum()
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::secs;

    use super::*;
    use crate::counters::count;

    #[test]
    fn the_number_of_policies_is_bounded() {
        let policies = Policies::default();
        for number in 0..1000 {
            let name = String::leak(format!("policy {number}"));
            count(&policies.of(&CachePolicy::new(name, secs(1))).hits);
        }
        assert_eq!(policies.all().len(), MAX_POLICIES + 1);
        assert_eq!(policies.hits(), 1000);
        assert_eq!(
            policies.of(&CachePolicy::new("policy 3", secs(1))).name,
            "policy 3"
        );
    }
}
