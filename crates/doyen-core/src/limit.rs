//! Rate limits: the values for `limit =`, their meaning in the settings, and the port that counts.
//!
//! | value | counts |
//! | --- | --- |
//! | [`per_user`] | each user; anonymous calls are not counted |
//! | [`per_client`] | each user, or each address for anonymous calls |
//! | [`per_address`] | each address: an IPv4 address, the first 64 bits of an IPv6 address |
//! | [`per_key`] | each API key or machine client |
//! | [`per_route`] | all callers together |
//! | [`policy`] | by the policy of that name in the settings or the application |
//! | [`quota`] | each user per day or month; survives restarts |
//! | [`unlimited`] | nothing; it needs a reason |
//!
//! A route without `limit =` has the default of the settings. A limit on the route replaces the
//! default. If no limit of a route applies to a request (`per_user` and an anonymous caller), the
//! default counts it, so that no request passes uncounted by accident.
//!
//! ```
//! use doyen_core::{HOUR, Limit, MINUTE, per_address, per_user, unlimited};
//!
//! let one: Limit = per_user(20, MINUTE).into();
//! let two: Limit = (per_user(20, MINUTE).burst(5), per_address(1000, HOUR)).into();
//! let none: Limit = unlimited("a balancer asks every second").into();
//! # let _ = (one, two, none);
//! ```

mod bucket;
mod period;
mod port;
mod rate;
mod syntax;

pub use bucket::{Bucket, QuotaBucket};
pub use period::Period;
pub use port::{
    Charge, Decision, Limiter, MAX_CHARGES, Network, QuotaCharge, QuotaDecision, QuotaState,
    QuotaTaken, Quotas, Verdict, Who,
};
pub use rate::Rate;
pub use syntax::{
    Limit, Per, Policy, PolicySource, Unlimited, per_address, per_client, per_key, per_route,
    per_user, policy, quota, unlimited,
};

use crate::{Kind, ProblemInfo};

/// The problem for a request over a rate limit or quota.
pub static QUOTA_EXCEEDED: ProblemInfo = ProblemInfo {
    code: "quota_exceeded",
    kind: Kind::TooManyRequests,
    title: "Quota Exceeded",
    description: "The client exceeded the limits in `violated-policies`. The request was not processed and not counted. Retry after the \
                  number of seconds in `Retry-After`.",
};
