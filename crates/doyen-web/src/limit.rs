//! Rate limits and quotas of routes: what the settings say, and what holds at one route.
//!
//! The syntax of `limit =` and the port that counts are in [`doyen_core::limit`].

mod error;
mod name;
mod plan;
mod policy;
mod quota;
mod rules;
mod tier;

pub use error::PlanError;
pub use plan::{Plan, Slots};
pub use policy::NamedPolicy;
pub use quota::NamedQuota;
pub use rules::LimitRules;
pub use tier::Tier;
