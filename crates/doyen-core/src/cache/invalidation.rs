//! Invalidation, after the commit.

use std::sync::Arc;

use super::{CacheKey, CacheStore, CacheTag};
use crate::inject::BoxFuture;

/// A unit of work that runs something at its end. The Session implements it.
pub trait CommitHooks {
    /// Runs the work after the commit, and also if the outcome of the commit is unknown. It does
    /// not run after a rollback. The work must be harmless if nothing was changed.
    fn after_possible_commit(&self, work: BoxFuture<'static, ()>);
}

/// Tags and keys to invalidate. It does nothing until [`after`](Self::after) or
/// [`now`](Self::now).
#[must_use = "an invalidation does nothing until `after(&session)` or `now().await`"]
pub struct Invalidation {
    store: Arc<dyn CacheStore>,
    tags: Vec<CacheTag>,
    keys: Vec<CacheKey>,
}

impl std::fmt::Debug for Invalidation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invalidation")
            .field("tags", &self.tags)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Invalidation {
    pub(super) fn tag(store: &Arc<dyn CacheStore>, tag: CacheTag) -> Self {
        Self {
            store: Arc::clone(store),
            tags: vec![tag],
            keys: Vec::new(),
        }
    }

    pub(super) fn key(store: Arc<dyn CacheStore>, key: CacheKey) -> Self {
        Self {
            store,
            tags: Vec::new(),
            keys: vec![key],
        }
    }

    /// Adds a tag.
    pub fn and(mut self, tag: impl Into<CacheTag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Invalidates once this unit of work is committed, and not if it is rolled back.
    pub fn after(self, unit: &impl CommitHooks) {
        unit.after_possible_commit(Box::pin(self.now()));
    }

    /// Invalidates now. After a change of the database use [`after`](Self::after): a reader could
    /// load the old value before the commit.
    pub async fn now(self) {
        self.store.invalidate(self.tags, self.keys).await;
    }
}
