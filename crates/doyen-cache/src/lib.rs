//! The cache: the plugin [`CachePlugin`], which implements the port
//! [`CacheStore`](doyen_core::cache::CacheStore) with two tiers.
//!
//! | tier | where | holds | bounded by |
//! | --- | --- | --- | --- |
//! | process | memory of this process | what is read often | `cache.max_bytes` |
//! | redis (feature `redis`) | Redis, if `redis.url` is set | values that all nodes share | `maxmemory` of Redis, and the lifetime of each value |
//!
//! | module | contents |
//! | --- | --- |
//! | `slots` | generations of keys and tags: what makes an old value unreadable |
//! | `local` | the tier in the process |
//! | `flights`, `loads` | one load at a time for each key, and the number of those that run |
//! | `engine`, `lease` | a read, and the end of a load |
//! | `operate`, `admin` | what operators read and evict on the admin address |
//! | `shared`, `follow` | the tier in Redis, and the invalidations of the other nodes |
//!
//! An invalidation deletes nothing. It changes the generation of a key or tag, and a value is
//! readable only while the generations are those from before its load. So a slow load that stores
//! an old value stores it unreadable.

mod admin;
#[cfg(feature = "redis")]
mod codec;
mod counters;
mod engine;
mod flights;
#[cfg(feature = "redis")]
mod follow;
mod lease;
mod loads;
mod local;
mod operate;
mod plugin;
mod policies;
mod settings;
#[cfg(feature = "redis")]
mod shared;
mod shared_value;
mod slots;
#[cfg(not(feature = "redis"))]
mod unshared;

pub use engine::{CacheStats, Engine};
pub use plugin::CachePlugin;
pub use settings::CacheSettings;
#[cfg(feature = "redis")]
use shared::{Shared, SharedLease};
#[cfg(not(feature = "redis"))]
use unshared::{Shared, SharedLease, follow};

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
