//! Policies and quotas with their numbers.

use super::{Period, Rate};

/// A policy with its numbers, for one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Name in the response headers.
    pub name: String,
    /// Unique name of the policy in the application: `policy search`, `GET /v1/tickets 0`.
    pub space: String,
    /// Its index among the buckets of the plan.
    pub slot: usize,
    /// Hash of the space.
    pub id: u64,
    /// The rate as configured.
    pub rate: Rate,
    /// Microseconds until one call is available again.
    pub interval: i64,
    /// Microseconds until all calls are available again.
    pub tolerance: i64,
    /// Number of calls that a request counts as.
    pub cost: u32,
}

/// A quota with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaBucket {
    /// Name.
    pub name: String,
    /// Maximum calls, without a tier.
    pub calls: u64,
    /// Period.
    pub period: Period,
    /// Its index among the quotas of the plan.
    pub slot: usize,
    /// Number of calls that a request counts as.
    pub cost: u64,
}
