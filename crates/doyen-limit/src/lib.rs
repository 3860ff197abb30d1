//! Rate limits and quotas: the plugin [`Limits`] and the engines that count calls.
//!
//! | engine | counts | in |
//! | --- | --- | --- |
//! | [`Local`] | for one process | memory, of a bounded size |
//! | [`Shared`] (feature `redis`) | for all nodes together | Redis; each for itself while it is away |
//! | [`SqlQuotas`] | by the day and the month | SQL, through restarts |
//!
//! The first two do the same arithmetic, in microseconds and whole numbers: GCRA, in `gcra`. A bucket is one number, the time at which all of its
//! calls will be back. All policies of a request are decided together: either each counts the call, or none does.

// The macros write `::doyen::__private::...`; inside this crate that is this crate.
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
pub use quota_book::{QuotaBook, QuotaList, QuotaView, quota};
pub use quotas::{SqlQuotas, TABLES};
pub use settings::LimitSettings;
#[cfg(feature = "redis")]
pub use shared::Shared;

/// What the macros write against. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use doyen_schema::__private::*;
    pub use doyen_settings as settings;
    /// The part for routes.
    pub mod web {
        pub use doyen_web::__private::*;
    }
}
