//! The engines of limits: who counts calls.
//!
//! | engine | counts | in |
//! | --- | --- | --- |
//! | [`Local`] | for one process | memory, of a bounded size |
//! | [`Shared`] (feature `redis`) | for all nodes together | Redis; each for itself while it is away |
//! | [`SqlQuotas`] | by the day and the month | SQL, through restarts |
//!
//! The first two do the same arithmetic, in microseconds and whole numbers: GCRA, in `gcra`. A bucket is one number, the time at which all of its
//! calls will be back. All policies of a request are decided together: either each counts the call, or none does.

mod gcra;
mod local;
mod quotas;
#[cfg(feature = "redis")]
mod shared;

pub use local::Local;
pub use quotas::{SqlQuotas, TABLES};
#[cfg(feature = "redis")]
pub use shared::Shared;
