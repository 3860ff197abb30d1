//! Makes the plan of a route from its words and the rules.

use std::sync::Arc;

use doyen_core::limit::{Bucket, Limit, MAX_CHARGES, Per, Policy, PolicySource, QuotaBucket, Rate};

use super::super::name::{NAME, is_name};
use super::super::{LimitRules, NamedQuota, PlanError};
use super::{Plan, Rule};

impl Plan {
    /// What holds at the route of this name (`GET /v1/tickets/{id}`).
    ///
    /// # Errors
    ///
    /// The first word that makes no sense.
    pub fn new(
        route: &str,
        said: Option<&Limit>,
        rules: &Arc<LimitRules>,
    ) -> Result<Self, PlanError> {
        let mut plan = Self {
            buckets: Vec::new(),
            rules: Vec::new(),
            known: Rule {
                per: Per::User,
                first: 0,
                tiered: true,
            },
            unknown: Rule {
                per: Per::Address,
                first: 0,
                tiered: false,
            },
            quotas: Vec::new(),
            common: Arc::clone(rules),
            unlimited: None,
        };
        plan.known = plan.rule(
            "default",
            "policy default",
            Per::User,
            rules.default,
            1,
            rules,
        )?;
        plan.unknown = plan.fixed(
            "default",
            "policy anonymous",
            Per::Address,
            rules.anonymous,
            1,
        )?;
        let mut policies: &[Policy] = &[];
        match said {
            Some(Limit::Exempt(reason)) if reason.trim().is_empty() => {
                return Err(PlanError::NoReason);
            }
            Some(Limit::Exempt(reason)) => plan.unlimited = Some(reason),
            Some(Limit::Policies(said)) => policies = said,
            None => {}
        }
        for (at, policy) in policies.iter().enumerate() {
            plan.add(route, at, policy, rules)?;
        }
        if plan.unlimited.is_none() && !policies.iter().any(|policy| policy.without_quotas) {
            for quota in rules.quotas.iter().filter(|quota| quota.everywhere) {
                if !plan.quotas.iter().any(|known| known.name == quota.name) {
                    plan.quota(quota, 1);
                }
            }
        }
        if plan.rules.len() > MAX_CHARGES || plan.quotas.len() > MAX_CHARGES {
            return Err(PlanError::TooMany);
        }
        plan.tell_apart();
        Ok(plan)
    }

    fn add(
        &mut self,
        route: &str,
        at: usize,
        policy: &Policy,
        rules: &LimitRules,
    ) -> Result<(), PlanError> {
        let burst = |rate: Rate| policy.burst.map_or(rate, |burst| rate.with_burst(burst));
        let rule = match policy.source {
            PolicySource::Here(per, rate) => {
                let name = policy.name.unwrap_or(per.word());
                self.fixed(
                    name,
                    &format!("{route} {at}"),
                    per,
                    burst(rate),
                    policy.cost,
                )?
            }
            PolicySource::Named("default") => {
                let rate = burst(rules.default);
                self.rule(
                    "default",
                    "policy default",
                    Per::User,
                    rate,
                    policy.cost,
                    rules,
                )?
            }
            PolicySource::Named(name) => {
                let Some(found) = rules.policies.iter().find(|known| known.name == name) else {
                    let known = rules.policies.iter().map(|known| known.name.clone());
                    let known = std::iter::once("default".to_owned()).chain(known).collect();
                    return Err(PlanError::UnknownPolicy { name, known });
                };
                let shown = policy.name.unwrap_or(&found.name);
                let space = format!("policy {name}");
                self.rule(
                    shown,
                    &space,
                    found.per,
                    burst(found.rate),
                    policy.cost,
                    rules,
                )?
            }
            PolicySource::Quota(_) if policy.burst.is_some() => {
                let must = "without `burst` where it is a quota, which has none; add a rate such as `per_user(5, MINUTE)`";
                return Err(PlanError::Wrong(must.to_owned()));
            }
            PolicySource::Quota(name) => {
                let Some(found) = rules.quotas.iter().find(|known| known.name == name) else {
                    let known = rules
                        .quotas
                        .iter()
                        .map(|known| known.name.clone())
                        .collect();
                    return Err(PlanError::UnknownQuota { name, known });
                };
                self.quota(found, u64::from(policy.cost));
                return Ok(());
            }
        };
        self.rules.push(rule);
        Ok(())
    }

    /// A policy of the settings: callers of a tier have more of it.
    fn rule(
        &mut self,
        name: &str,
        space: &str,
        per: Per,
        rate: Rate,
        cost: u32,
        rules: &LimitRules,
    ) -> Result<Rule, PlanError> {
        let rule = self.fixed(name, space, per, rate, cost)?;
        // A limit shared by all callers, or without a subject, has no tier.
        if matches!(per, Per::Address | Per::Route) {
            return Ok(rule);
        }
        for tier in &rules.tiers {
            // Another tier is another bucket: its numbers are others.
            let space = format!("{space} x{}", tier.factor);
            self.fixed(name, &space, per, rate.times(tier.factor), cost)?;
        }
        Ok(Rule {
            tiered: true,
            ..rule
        })
    }

    /// A policy that holds for all as it was said.
    fn fixed(
        &mut self,
        name: &str,
        space: &str,
        per: Per,
        rate: Rate,
        cost: u32,
    ) -> Result<Rule, PlanError> {
        rate.check(cost).map_err(PlanError::Wrong)?;
        if !is_name(name) {
            return Err(PlanError::Wrong(NAME.to_owned()));
        }
        let slot = self.buckets.len();
        self.buckets.push(Bucket {
            name: name.to_owned(),
            space: space.to_owned(),
            slot,
            id: number(space),
            rate,
            interval: rate.interval(),
            tolerance: rate.tolerance(),
            cost,
        });
        Ok(Rule {
            per,
            first: slot,
            tiered: false,
        })
    }

    fn quota(&mut self, quota: &NamedQuota, cost: u64) {
        self.quotas.push(QuotaBucket {
            name: quota.name.clone(),
            calls: quota.calls,
            period: quota.period,
            slot: self.quotas.len(),
            cost,
        });
    }

    /// Two policies of one name at a route: the later ones get a number, so that clients can tell
    /// them apart.
    fn tell_apart(&mut self) {
        let firsts: Vec<usize> = self.rules.iter().map(|rule| rule.first).collect();
        for (at, rule) in self.rules.clone().iter().enumerate() {
            let name = self.buckets[rule.first].name.clone();
            let before = firsts[..at].iter().filter(|first| {
                self.buckets[**first].name == name
                    || self.buckets[**first].name.starts_with(&format!("{name}-"))
            });
            let before = before.count();
            if before == 0 {
                continue;
            }
            let grades = if rule.tiered {
                1 + self.common.tiers.len()
            } else {
                1
            };
            for bucket in &mut self.buckets[rule.first..rule.first + grades] {
                bucket.name = format!("{name}-{}", before + 1);
            }
        }
    }
}

/// A number for a text, the same on each node and after each start (FNV-1a).
fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
