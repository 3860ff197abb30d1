//! How often: the words beside `limit =`, what the settings say of them, and the port that counts.
//!
//! | word | counts |
//! | --- | --- |
//! | [`per_user`] | each user; nobody who is not known |
//! | [`per_client`] | each user, or each address when nobody is known |
//! | [`per_address`] | each address: an IPv4 address, the first 64 bits of an IPv6 address |
//! | [`per_key`] | each API key or machine client |
//! | [`per_route`] | everybody together |
//! | [`policy`] | as the settings or the application say under that name |
//! | [`quota`] | each user by the day or the month, through restarts |
//! | [`unlimited`] | nobody; it takes a reason |
//!
//! A route without a word has the default of the settings. What stands at a route takes its place. When none of the words at a route fits a
//! request (`per_user` and nobody is known), the default counts it: no request passes uncounted by accident.
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
mod words;

pub use bucket::{Bucket, QuotaBucket};
pub use period::Period;
pub use port::{
    Charge, Decision, Limiter, MAX_CHARGES, Network, QuotaCharge, QuotaDecision, QuotaState,
    QuotaTaken, Quotas, Verdict, Who,
};
pub use rate::Rate;
pub use words::{
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
