//! What operators read of the process, and evictions on all nodes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::Engine;
use crate::counters::count;
use crate::engine::Inner;
use crate::local::{Stored, weight};
use crate::slots;

/// The readable values of one policy in this process.
pub(crate) struct PolicyUse {
    pub(crate) name: &'static str,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

/// A readable value in this process.
pub(crate) struct EntryUse {
    pub(crate) key: String,
    pub(crate) policy: &'static str,
    pub(crate) bytes: u32,
    pub(crate) age: i64,
    /// Microseconds until it is loaded again; negative if it is stale.
    pub(crate) fresh_for: i64,
}

/// What to evict.
pub(crate) enum Eviction {
    /// The value with this key.
    Key(String),
    /// The values with this tag.
    Tag(String),
    /// All values.
    All,
}

/// Where an eviction is complete.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// In this process; there is no Redis.
    Process,
    /// In Redis. Other processes learn it within milliseconds.
    All,
    /// In this process. The others learn it once Redis responds again.
    Pending,
}

impl Engine {
    /// Returns the policies. It takes as long as there are many values.
    pub(crate) fn policies(&self) -> Vec<PolicyUse> {
        let mut sizes: HashMap<&str, (u64, u64)> = HashMap::new();
        for (key, stored) in self.0.readable() {
            let (entries, bytes) = sizes.entry(stored.policy.name).or_default();
            *entries += 1;
            *bytes += u64::from(weight(&key, &stored));
        }
        let all = self.0.policies.all().into_iter();
        all.map(|policy| {
            let (entries, bytes) = sizes.get(policy.name).copied().unwrap_or_default();
            PolicyUse {
                name: policy.name,
                entries,
                bytes,
                hits: policy.hits.load(Ordering::Relaxed),
                misses: policy.misses.load(Ordering::Relaxed),
            }
        })
        .collect()
    }

    /// Returns values of this policy whose key contains this text, at most `max`.
    pub(crate) fn entries(&self, policy: Option<&str>, text: &str, max: usize) -> Vec<EntryUse> {
        let now = self.0.now();
        let entries = self.0.readable().filter(|(key, stored)| {
            policy.is_none_or(|policy| stored.policy.name == policy) && key.as_str().contains(text)
        });
        entries
            .take(max)
            .map(|(key, stored)| EntryUse {
                key: key.as_str().to_owned(),
                policy: stored.policy.name,
                bytes: weight(&key, &stored),
                age: now - stored.stored_at,
                fresh_for: stored.fresh_until - now,
            })
            .collect()
    }

    /// Makes values unreadable on all nodes, and frees their memory in this process.
    pub(crate) async fn evict(&self, what: &Eviction) -> Reach {
        let inner = &self.0;
        let slot = match what {
            Eviction::Key(key) => Some(slots::of_key_text(key)),
            Eviction::Tag(tag) => Some(slots::of_tag(&tag.as_str().into())),
            Eviction::All => None,
        };
        let here = || match slot {
            Some(slot) => inner.slots.invalidate(slot),
            None => inner.slots.invalidate_all(),
        };
        count(&inner.counters.invalidations);
        here();
        if let Some(shared) = &inner.shared {
            match slot {
                Some(slot) => shared.invalidate(&[slot]).await,
                None => shared.invalidate_all().await,
            }
            // A read between the two may have copied the old value from Redis.
            here();
        }
        let purged = Arc::clone(inner);
        let _ = tokio::task::spawn_blocking(move || purged.purge()).await;
        match &inner.shared {
            None => Reach::Process,
            Some(shared) if shared.is_away() => Reach::Pending,
            Some(_) => Reach::All,
        }
    }
}

impl Inner {
    fn readable(&self) -> impl Iterator<Item = (Arc<doyen_core::cache::CacheKey>, Arc<Stored>)> {
        let now = self.now();
        self.local.iter().filter(move |(_, stored)| {
            stored.usable_until > now && self.slots.is_current(&stored.view)
        })
    }

    /// Drops the values that cannot be read any more.
    fn purge(&self) {
        for (key, stored) in self.local.iter() {
            if !self.slots.is_current(&stored.view) {
                self.local.remove(&key);
            }
        }
    }
}
