//! Rate limits and quotas: the plugin [`Limits`] and the engines that count calls.
//!
//! | engine | counts | in |
//! | --- | --- | --- |
//! | [`Local`] | for one process | memory, bounded |
//! | [`Shared`] (feature `redis`) | for all nodes together | Redis; in memory while Redis is unavailable |
//! | [`SqlQuotas`] | per day and month | SQL; survives restarts |
//!
//! The first two use the same algorithm, GCRA, in whole microseconds (see `gcra`). A bucket is one
//! number, the time at which it is full again. All policies of a request are decided together:
//! either each counts the call, or none does.

// The macros generate paths that begin with `::doyen::__private`; here that is this crate.
extern crate self as doyen;

mod gcra;
mod local;
mod plugin;
mod quota_book;
mod quotas;
mod settings;
#[cfg(feature = "redis")]
mod shared;

pub use local::Local;
pub use plugin::Limits;
pub use quota_book::{QuotaBook, QuotaList, QuotaPeriod, QuotaView, quota};
pub use quotas::{SqlQuotas, TABLES};
pub use settings::LimitSettings;
#[cfg(feature = "redis")]
pub use shared::Shared;

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
