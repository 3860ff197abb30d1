//! What the settings say: the default, policies by name, tiers, quotas.

use std::fmt;

use super::{NamedQuota, Per, Rate};
use crate::{Caller, MINUTE};

pub(super) const NAME: &str = "named with letters, digits, `-` and `_`, at most 40 of them, for example `search: 30/1m per user`";

/// Fit for a header field and a setting.
pub(super) fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Everything that holds for more than one route.
#[derive(Clone, Debug)]
pub struct LimitRules {
    /// What a known caller may do where the route says nothing else.
    pub default: Rate,
    /// What an address may do without a known caller, where the route says nothing else.
    pub anonymous: Rate,
    /// Policies by name.
    pub policies: Vec<NamedPolicy>,
    /// Quotas by name.
    pub quotas: Vec<NamedQuota>,
    /// Who gets more.
    pub tiers: Vec<Tier>,
}

impl Default for LimitRules {
    fn default() -> Self {
        Self {
            default: Rate::new(600, MINUTE),
            anonymous: Rate::new(300, MINUTE),
            policies: Vec::new(),
            quotas: Vec::new(),
            tiers: Vec::new(),
        }
    }
}

impl LimitRules {
    /// How many times as much this caller has: the largest factor of their roles.
    pub fn factor(&self, caller: &Caller) -> u32 {
        match self.tier(caller) {
            0 => 1,
            tier => self.tiers[tier - 1].factor,
        }
    }

    /// The tier of this caller, counted from 1; 0 for none.
    pub(super) fn tier(&self, caller: &Caller) -> usize {
        let mut best = (0, 1);
        for (at, tier) in self.tiers.iter().enumerate() {
            if tier.factor > best.1 && caller.has_role(&tier.role) {
                best = (at + 1, tier.factor);
            }
        }
        best.0
    }
}

/// A policy of the settings: `search: 30/1m per user`, `export: 5/1h burst 1 per address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// How many calls.
    pub rate: Rate,
    /// Whose.
    pub per: Per,
}

impl NamedPolicy {
    /// Reads `search: 30/1m per user`.
    ///
    /// # Errors
    ///
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a policy such as `search: 30/1m per user`; it counts per user, client, address, key or route";
        let (name, rest) = text.split_once(':').ok_or(SHAPE)?;
        let (rate, per) = rest.rsplit_once(" per ").ok_or(SHAPE)?;
        let policy = Self {
            name: name.trim().to_owned(),
            rate: Rate::parse(rate.trim())?,
            per: Per::named(per.trim()).ok_or(SHAPE)?,
        };
        if !is_name(&policy.name) {
            return Err(NAME.to_owned());
        }
        if policy.name == "default" {
            return Err(
                "called something else: the default is the setting `limits.default`".to_owned(),
            );
        }
        Ok(policy)
    }
}

impl fmt::Display for NamedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} per {}", self.name, self.rate, self.per.word())
    }
}

/// Callers with this role have so many times as much: `partner: x5`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The role.
    pub role: String,
    /// How many times.
    pub factor: u32,
}

impl Tier {
    /// Reads `partner: x5`.
    ///
    /// # Errors
    ///
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str =
            "a role and how many times as much it has, from 2 to 1000, such as `partner: x5`";
        let (role, factor) = text.split_once(':').ok_or(SHAPE)?;
        let factor = factor.trim().strip_prefix('x').ok_or(SHAPE)?;
        let factor = factor.parse().map_err(|_| SHAPE)?;
        let role = role.trim().to_owned();
        if role.is_empty() || !(2..=1000).contains(&factor) {
            return Err(SHAPE.to_owned());
        }
        Ok(Self { role, factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in [
            "search: 30/1m per user",
            "export: 5/1h burst 1 per address",
            "all: 9/1s per route",
        ] {
            assert_eq!(NamedPolicy::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "search",
            "search: 30/1m",
            "search: 30/1m per person",
            "a b: 30/1m per user",
            ": 1/1s per user",
            "x: per user",
            "default: 1/1s per user",
        ] {
            assert!(NamedPolicy::parse(text).is_err(), "{text}");
        }
        for text in [
            "",
            "partner",
            "partner: 5",
            "partner: x1",
            "partner: x1001",
            ": x5",
            "partner: x-5",
        ] {
            assert!(Tier::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_largest_factor_counts() {
        let tier = |text| Tier::parse(text).unwrap();
        let rules = LimitRules {
            tiers: vec![tier("agent: x2"), tier("partner: x5"), tier("admin: x3")],
            ..LimitRules::default()
        };
        let mut caller = Caller::new("u");
        assert_eq!(rules.tier(&caller), 0);
        caller.roles = vec!["admin".into(), "partner".into(), "agent".into()];
        assert_eq!(rules.tier(&caller), 2);
    }
}
