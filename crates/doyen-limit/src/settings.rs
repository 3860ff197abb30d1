//! Settings of rate limits and quotas.

use doyen_core::Rate;
use doyen_settings::Settings;
use doyen_web::limit::{NamedPolicy, NamedQuota, Tier};

/// Rate limits and quotas.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct LimitSettings {
    /// Enforces rate limits and quotas. Disable it only if a gateway enforces them.
    #[setting(default = true)]
    pub enabled: bool,
    /// Rate of an authenticated caller for all routes without their own limit together: `600/1m`,
    /// `600/1m burst 50`. Further requests get a 429.
    #[setting(default = "600/1m")]
    pub default: Rate,
    /// Rate of one address for these routes without authentication. Further requests get a 429.
    #[setting(default = "300/1m")]
    pub anonymous: Rate,
    /// Named policies for routes: `search: 30/1m per user`. A policy counts per user, client,
    /// address, key or route. It replaces a policy that the application declares under the same
    /// name.
    #[setting(default = [])]
    pub policies: Vec<NamedPolicy>,
    /// Roles with higher limits: `partner: x5`. The factor applies to the default, to named
    /// policies and to quotas. If a caller has several of these roles, the largest factor applies.
    #[setting(default = [])]
    pub tiers: Vec<Tier>,
    /// Maximum calls of one user per day or month, in UTC: `api: 100000/day everywhere` for every
    /// route, `exports: 100/month` for routes that name the quota.
    #[setting(default = [])]
    pub quotas: Vec<NamedQuota>,
    /// Maximum callers tracked in memory. Beyond it, the callers with the least usage are dropped
    /// first.
    #[setting(default = 100000, min = 1000, max = 100000000)]
    pub max_callers: u32,
}
