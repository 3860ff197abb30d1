//! The cache: what a handler or a repository uses, and the port that stores the values.
//!
//! | type | purpose |
//! | --- | --- |
//! | [`Cache`] | injected; gives a [`CacheFor`] one scope, and invalidates |
//! | [`CacheFor`] | the values of one scope: of [`Everyone`], of one [`Caller`](crate::Caller), of a tenant |
//! | [`CachePolicy`] | name, time to live and version of one kind of value |
//! | [`CacheStore`] | the port; the plugin in `doyen-cache` implements it |
//!
//! A value is asked for through a scope, and a scope comes from the request. A value that was
//! cached for one caller therefore cannot be asked for by another.
//!
//! ```
//! use doyen_core::cache::{Cache, CachePolicy};
//! use doyen_core::{Caller, Unexpected, secs};
//!
//! const REPORT: CachePolicy = CachePolicy::new("report", secs(60)).stale(secs(300));
//!
//! async fn report(cache: Cache, me: Caller, month: u32) -> Result<u64, Unexpected> {
//!     let entry = cache.of(&me).entry(&REPORT, month).tag("orders");
//!     entry.get_or_load(|| async { Ok(42) }).await
//! }
//! ```

mod entry;
mod handle;
mod invalidation;
mod key;
mod policy;
mod port;
mod scope;

pub use entry::CacheEntry;
pub use handle::{Cache, CacheFor};
pub use invalidation::{CommitHooks, Invalidation};
pub use key::{CacheKey, CacheTag};
pub use policy::CachePolicy;
pub use port::{CacheLease, CacheQuery, CacheStore, LeaseEnd, Lookup};
pub use scope::{CacheScope, Everyone};
