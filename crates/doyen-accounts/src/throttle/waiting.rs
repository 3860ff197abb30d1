//! Limits on the number of waiting attempts.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use doyen_core::sync;

use super::buckets::Bucket;

/// Maximum waiting attempts of one server process.
const MAX_WAITING: usize = 128;
/// Maximum waiting attempts in a bucket that several accounts share, such as a network.
const MAX_WAITING_SHARED: usize = 96;
/// Maximum waiting attempts in a bucket of one account.
const MAX_WAITING_OWN: usize = 48;

/// Counts waiting attempts, in total and by bucket. No account and no network can use up the total.
#[derive(Debug, Default)]
pub(super) struct WaitLimit(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    total: usize,
    buckets: BTreeMap<[u8; 32], usize>,
}

/// Permission to wait. Dropping it frees the capacity.
pub(super) struct WaitPermit<'a> {
    limit: &'a WaitLimit,
    keys: Vec<[u8; 32]>,
}

impl WaitLimit {
    /// Returns `None` if too many attempts wait.
    pub(super) fn acquire(&self, buckets: &[Bucket]) -> Option<WaitPermit<'_>> {
        let mut waiting = self.lock();
        let is_full = |bucket: &Bucket| {
            let maximum = match bucket.rule.shared {
                true => MAX_WAITING_SHARED,
                false => MAX_WAITING_OWN,
            };
            let count = waiting.buckets.get(&bucket.key);
            count.is_some_and(|count| *count >= maximum)
        };
        if waiting.total >= MAX_WAITING || buckets.iter().any(is_full) {
            return None;
        }
        waiting.total += 1;
        let keys: Vec<_> = buckets.iter().map(|bucket| bucket.key).collect();
        for key in &keys {
            *waiting.buckets.entry(*key).or_default() += 1;
        }
        Some(WaitPermit { limit: self, keys })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        sync::lock(&self.0)
    }
}

impl Drop for WaitPermit<'_> {
    fn drop(&mut self) {
        let mut waiting = self.limit.lock();
        waiting.total -= 1;
        for key in &self.keys {
            if let Some(count) = waiting.buckets.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    waiting.buckets.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use doyen_core::{MINUTE, secs};

    use super::super::buckets::Rule;
    use super::*;

    fn bucket(key: u8, shared: bool) -> Bucket {
        let rule = Rule {
            free: 5,
            first: secs(1),
            longest: secs(900),
            forget: MINUTE,
            shared,
        };
        Bucket::new([key; 32], rule)
    }

    #[test]
    fn one_account_cannot_use_up_the_total() {
        let limit = WaitLimit::default();
        let acquire =
            |account, network| limit.acquire(&[bucket(account, false), bucket(network, true)]);
        let flood: Vec<_> = (0..200).filter_map(|_| acquire(1, 101)).collect();
        assert_eq!(flood.len(), MAX_WAITING_OWN);
        // Other accounts of the same network, then other networks.
        let network: Vec<_> = (0..200).filter_map(|n| acquire(2 + n % 90, 101)).collect();
        assert_eq!(flood.len() + network.len(), MAX_WAITING_SHARED);
        let others: Vec<_> = (0..200).filter_map(|n| acquire(2 + n % 90, 102)).collect();
        assert_eq!(others.len(), MAX_WAITING - MAX_WAITING_SHARED);
        drop((flood, network, others));
        assert!(limit.lock().buckets.is_empty());
        assert_eq!(limit.lock().total, 0);
    }
}
