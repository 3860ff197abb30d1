//! Policies and quotas with their numbers, as a counter sees them.

use super::{Period, Rate};

/// One policy with its numbers, for one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What clients read.
    pub name: String,
    /// Tells this policy from every other one of the application: `policy search`,
    /// `GET /v1/tickets 0`.
    pub space: String,
    /// Its place among the buckets of the plan.
    pub slot: usize,
    /// A number for the space, the same for the same text.
    pub id: u64,
    /// The rate, as it was said.
    pub rate: Rate,
    /// The microseconds after which one call comes back.
    pub interval: i64,
    /// The microseconds after which all calls are back.
    pub tolerance: i64,
    /// How many calls a request counts as.
    pub cost: u32,
}

/// One quota with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaBucket {
    /// Its name.
    pub name: String,
    /// How many calls, without any tier.
    pub calls: u64,
    /// In which time.
    pub period: Period,
    /// Its place among the quotas of the plan.
    pub slot: usize,
    /// How many calls a request counts as.
    pub cost: u64,
}
