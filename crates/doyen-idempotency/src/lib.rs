//! Idempotent requests: the plugin [`IdempotencyPlugin`], which stores keys and responses in SQL.
//!
//! | file | contents |
//! | --- | --- |
//! | `store` | the port: claim a key, record the response, release the key |
//! | `running` | the keys of requests that this process handles now |
//! | `table` | the statements, for both databases |
//! | `envelope` | a stored response as bytes, encrypted |
//! | `identity` | what makes two requests the same |
//! | `content` | the hash of a body that is read while it arrives |
//! | `background` | renewing leases, deleting expired rows |
//!
//! The row with the response is written in the transaction of the effect, and its primary key is
//! the caller and the key. Everything else only makes duplicates fail early:
//!
//! - On PostgreSQL, a row without a response marks a running request. It is committed before the
//!   handler runs and has a lease, which the process renews. Price: one more commit per keyed
//!   request, which does not wait for the disk.
//! - On SQLite, the process remembers its running requests. A second process on the same file waits
//!   for the write lock, finds the row of the first, rolls back and replays it.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod background;
mod content;
mod envelope;
mod identity;
mod metrics;
mod plugin;
mod running;
mod settings;
mod store;
mod table;

pub use plugin::IdempotencyPlugin;
pub use settings::IdempotencySettings;
pub use store::KeyStore;
pub use table::TABLES;

/// Names for generated code. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_core::__private::*;
    pub use doyen_data as data;
    pub use doyen_settings as settings;
}
