//! The values for `limit =`.

use std::time::Duration;

use super::Rate;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Those of a user.
    User,
    /// Limits of a user, or of an address for anonymous calls.
    Client,
    /// Those from an address.
    Address,
    /// Those with an API key, or of a machine client.
    Key,
    /// All of them.
    Route,
}

impl Per {
    /// The word, as it stands in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Per::User => "user",
            Per::Client => "client",
            Per::Address => "address",
            Per::Key => "key",
            Per::Route => "route",
        }
    }

    /// The word of this name.
    pub fn named(word: &str) -> Option<Self> {
        [Per::User, Per::Client, Per::Address, Per::Key, Per::Route]
            .into_iter()
            .find(|per| per.word() == word)
    }
}

/// One policy at a route: whose calls, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Where the numbers come from.
    pub source: PolicySource,
    /// What clients read in `RateLimit-Policy`, if it is said.
    pub name: Option<&'static str>,
    /// How many calls one call counts as.
    pub cost: u32,
    /// How many calls may come at once, if it is said.
    pub burst: Option<u32>,
    /// Whether the quotas that are counted everywhere are left out.
    pub without_quotas: bool,
}

/// Where the numbers of a policy come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// From the route itself.
    Here(Per, Rate),
    /// From the policy of this name.
    Named(&'static str),
    /// From the quota of this name.
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

    /// Leaves out the quotas that are counted everywhere: for what callers need when theirs is used
    /// up.
    #[must_use]
    pub const fn without_quotas(self) -> Self {
        Self {
            without_quotas: true,
            ..self
        }
    }

    /// How many calls one call counts as: more for what costs more.
    #[must_use]
    pub const fn cost(self, calls: u32) -> Self {
        Self {
            cost: calls,
            ..self
        }
    }

    /// How many calls may come at once; all of them when it is not said.
    #[must_use]
    pub const fn burst(self, calls: u32) -> Self {
        Self {
            burst: Some(calls),
            ..self
        }
    }

    /// What clients read in `RateLimit-Policy`; the word (`user`, `address`) when it is not said.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }

    /// Whose calls, and how many, when both are said here.
    pub fn rate(&self) -> Option<(Per, Rate)> {
        match self.source {
            PolicySource::Here(per, rate) => {
                Some((per, self.burst.map_or(rate, |burst| rate.with_burst(burst))))
            }
            PolicySource::Named(_) | PolicySource::Quota(_) => None,
        }
    }
}

/// So many calls of each user in this time. Who is not known is counted by the default.
pub const fn per_user(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::User, Rate::new(calls, window)))
}

/// Limits the calls of each user in this time, and those of each address for anonymous calls. A
/// user and the address they call from are counted separately.
pub const fn per_client(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Client, Rate::new(calls, window)))
}

/// So many calls from each address in this time: an IPv4 address, or the first 64 bits of an IPv6
/// address. Those who are known and those who are not are counted apart, so that strangers do not
/// use up what users behind the same address have.
pub const fn per_address(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Address, Rate::new(calls, window)))
}

/// So many calls with each API key, or of each machine client, in this time. Others are counted by
/// the default.
pub const fn per_key(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Key, Rate::new(calls, window)))
}

/// Limits the calls of all callers together in this time. Only authorized calls count, so that
/// strangers cannot use up the limit.
pub const fn per_route(calls: u32, window: Duration) -> Policy {
    Policy::of(PolicySource::Here(Per::Route, Rate::new(calls, window)))
}

/// The policy of this name, from `limits.policies` or `App::policy`; `policy("default")` is the
/// default. All routes that name it share it.
pub const fn policy(name: &'static str) -> Policy {
    Policy::of(PolicySource::Named(name))
}

/// The quota of this name, from `limits.quotas`: so many calls of each user in a day or a month.
pub const fn quota(name: &'static str) -> Policy {
    Policy::of(PolicySource::Quota(name))
}

/// No limit, and why.
pub const fn unlimited(reason: &'static str) -> Unlimited {
    Unlimited(reason)
}

/// A route without a limit, and why it needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlimited(&'static str);

/// A value for `limit =`: one policy, several in a list or a tuple, or [`unlimited`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Every one of these policies.
    Policies(Vec<Policy>),
    /// No limit, and why.
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
