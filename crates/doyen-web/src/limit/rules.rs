//! What the settings say: the default, policies by name, tiers, quotas.

use doyen_core::limit::Rate;
use doyen_core::{Caller, MINUTE};

use super::{NamedPolicy, NamedQuota, Tier};

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

#[cfg(test)]
mod tests {
    use super::*;

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
