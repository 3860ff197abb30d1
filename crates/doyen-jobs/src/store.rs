//! Every statement on the tables of jobs.
//!
//! The statements are the same on both databases, except for `FOR UPDATE SKIP LOCKED`: SQLite has
//! one writer, whose transactions begin with `IMMEDIATE`. Times are microseconds since 1970 in UTC,
//! so that both compare them the same way.

mod claim;
mod enqueue;
mod finish;
mod nodes;
mod read;
mod tables;

pub use tables::TABLES;

pub(crate) use claim::{Claimed, claim, has_work, stage};
pub(crate) use enqueue::{Limits, enqueue};
pub(crate) use finish::{Lease, Outcome, done, failed, progress, settle};
pub(crate) use nodes::{heartbeat, leave, register, release_keys, rescue, sweep};
pub(crate) use read::{Depth, Filter, cancel, cancelled, depths, find, list, retry, set_paused};

use doyen_core::Timestamp;
use doyen_data::sea_orm::Value;

/// The wake-up channel of workers.
pub(crate) const CHANNEL: &str = "jobs";
/// The wake-up channel of cancellations.
pub(crate) const CANCEL_CHANNEL: &str = "jobs.cancel";

pub(crate) fn time(at: Timestamp) -> Value {
    at.micros().into()
}

/// Adds a period to a time of the database.
pub(crate) fn micros(span: std::time::Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
