//! The injected types.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{CacheEntry, CacheKey, CachePolicy, CacheScope, CacheStore, CacheTag};
use super::{Everyone, Invalidation};
use crate::inject::{Context, Lifetime, Node};
use crate::{Inject, Refusal};

/// The cache of the application. It gives access to the values of one scope, and invalidates.
#[derive(Clone, Inject)]
pub struct Cache {
    store: Arc<dyn CacheStore>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    /// Creates a cache with this store.
    pub fn new(store: Arc<dyn CacheStore>) -> Self {
        Self { store }
    }

    /// Returns the values of one scope, such as a caller or a tenant.
    pub fn of<S: CacheScope>(&self, scope: &S) -> CacheFor<S> {
        let kind = S::KIND;
        CacheFor {
            store: Arc::clone(&self.store),
            scope: format!("{kind}={}", scope.partition()).into(),
            owner: PhantomData,
        }
    }

    /// Returns the values that are the same for everyone.
    pub fn shared(&self) -> CacheFor<Everyone> {
        self.of(&Everyone)
    }

    /// Invalidates all values with this tag, of all scopes.
    pub fn invalidate(&self, tag: impl Into<CacheTag>) -> Invalidation {
        Invalidation::tag(&self.store, tag.into())
    }
}

/// The cached values of one scope. As a parameter of a handler, the scope is that of the request:
/// `CacheFor<Caller>`.
pub struct CacheFor<S> {
    store: Arc<dyn CacheStore>,
    scope: Arc<str>,
    owner: PhantomData<fn() -> S>,
}

impl<S> Clone for CacheFor<S> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
            scope: Arc::clone(&self.scope),
            owner: PhantomData,
        }
    }
}

impl<S> fmt::Debug for CacheFor<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheFor")
    }
}

impl<S> CacheFor<S> {
    /// Returns the entry with this id. Ids of different policies are separate.
    pub fn entry(&self, policy: &CachePolicy, id: impl fmt::Display) -> CacheEntry {
        let key = CacheKey::new(policy, &self.scope, id);
        CacheEntry::new(Arc::clone(&self.store), *policy, key)
    }
}

#[diagnostic::do_not_recommend]
impl<S: CacheScope + Inject> Inject for CacheFor<S> {
    const LIFETIME: Lifetime = Lifetime::Request;

    fn node() -> Node {
        Node::of::<Self>(vec![<Cache as Inject>::node, S::node])
    }

    async fn make(cx: &Context) -> Result<Self, Refusal> {
        let cache: Cache = cx.get().await?;
        Ok(cache.of(&cx.get::<S>().await?))
    }
}
