//! The values for `limit =`.

use std::time::Duration;

use super::Rate;

/// The subject of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A user.
    User,
    /// A user, or an address for anonymous calls.
    Client,
    /// An address.
    Address,
    /// An API key or a machine client.
    Key,
    /// All callers together.
    Route,
}

impl Per {
    /// Returns its name in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Per::User => "user",
            Per::Client => "client",
            Per::Address => "address",
            Per::Key => "key",
            Per::Route => "route",
        }
    }

    /// Returns the subject of this name.
    pub fn named(word: &str) -> Option<Self> {
        [Per::User, Per::Client, Per::Address, Per::Key, Per::Route]
            .into_iter()
            .find(|per| per.word() == word)
    }
}

/// One policy of a route: subject and rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Source of the numbers.
    pub source: PolicySource,
    /// Name in `RateLimit-Policy`, if set.
    pub name: Option<&'static str>,
    /// Number of calls that a request counts as.
    pub cost: u32,
    /// Burst, if set.
    pub burst: Option<u32>,
    /// True if quotas that apply to every route do not count here.
    pub without_quotas: bool,
}

/// The source of a policy's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// The route itself.
    Here(Per, Rate),
    /// The policy of this name.
    Named(&'static str),
    /// The quota of this name.
    Quota(&'static str),
}

impl Policy {
    const fn of(source: PolicySource) -> Self {
        Self {
            source,
            name: None,
            cost: 1,
            burst: None,
            without_quotas: false,
        }
    }

    /// Does not count against quotas that apply to every route. Use it for routes that callers need
    /// when their quota is used up.
    #[must_use]
    pub const fn without_quotas(self) -> Self {
        Self {
            without_quotas: true,
            ..self
        }
    }

    /// Sets the number of calls that a request counts as, for expensive requests.
    #[must_use]
    pub const fn cost(self, calls: u32) -> Self {
        Self {
            cost: calls,
            ..self
        }
    }

    /// Sets the burst, by default all calls.
    #[must_use]
    pub const fn burst(self, calls: u32) -> Self {
        Self {
            burst: Some(calls),
            ..self
        }
    }

    /// Sets the name in `RateLimit-Policy`, by default the subject (`user`, `address`).
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// Returns subject and rate, if both are set here.
    pub fn rate(&self) -> Option<(Per, Rate)> {
        match self.source {
            PolicySource::Here(per, rate) => {
                Some((per, self.burst.map_or(rate, |burst| rate.with_burst(burst))))
            }
            PolicySource::Named(_) | PolicySource::Quota(_) => None,
        }
    }
}

/// Limits the calls of each user in this time. Anonymous calls count against the default.
pub const fn per_user(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::User, Rate::new(calls, window)))
}

/// Limits the calls of each user in this time, and those of each address for anonymous calls. A
/// user and the address they call from are counted separately.
pub const fn per_client(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Client, Rate::new(calls, window)))
}

/// Limits the calls from each address in this time: an IPv4 address, or the first 64 bits of an
/// IPv6 address. Authenticated and anonymous calls are counted separately, so that strangers cannot
/// use up the limit of users behind the same address.
pub const fn per_address(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Address, Rate::new(calls, window)))
}

/// Limits the calls with each API key, or of each machine client, in this time. Other calls count
/// against the default.
pub const fn per_key(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Key, Rate::new(calls, window)))
}

/// Limits the calls of all callers together in this time. Only authorized calls count, so that
/// strangers cannot use up the limit.
pub const fn per_route(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Route, Rate::new(calls, window)))
}

/// Applies the policy of this name, from `limits.policies` or `App::policy`; `policy("default")` is
/// the default. All routes that name it share it.
pub const fn policy(name: &'static str) -> Policy {
    Policy::of(PolicySource::Named(name))
}

/// Applies the quota of this name, from `limits.quotas`: a maximum of calls of each user per day or
/// month.
pub const fn quota(name: &'static str) -> Policy {
    Policy::of(PolicySource::Quota(name))
}

/// No limit, and its reason.
pub const fn unlimited(reason: &'static str) -> Unlimited {
    Unlimited(reason)
}

/// Applies no limit, for this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlimited(&'static str);

/// A value for `limit =`: one policy, several in a list or a tuple, or [`unlimited`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Returns the policies.
    Policies(Vec<Policy>),
    /// Returns the reason for no limit.
    Exempt(&'static str),
}

impl From<Policy> for Limit {
    fn from(policy: Policy) -> Self {
        Limit::Policies(vec![policy])
    }
}

impl From<Unlimited> for Limit {
    fn from(unlimited: Unlimited) -> Self {
        Limit::Exempt(unlimited.0)
    }
}

impl<const N: usize> From<[Policy; N]> for Limit {
    fn from(policies: [Policy; N]) -> Self {
        Limit::Policies(policies.to_vec())
    }
}

impl From<(Policy, Policy)> for Limit {
    fn from((a, b): (Policy, Policy)) -> Self {
        [a, b].into()
    }
}

impl From<(Policy, Policy, Policy)> for Limit {
    fn from((a, b, c): (Policy, Policy, Policy)) -> Self {
        [a, b, c].into()
    }
}

impl From<(Policy, Policy, Policy, Policy)> for Limit {
    fn from((a, b, c, d): (Policy, Policy, Policy, Policy)) -> Self {
        [a, b, c, d].into()
    }
}
