//! What holds at one route, with its numbers: made once at start from its words and the rules.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::rules::{NAME, is_name};
use super::words::{Said, Source};
use super::{
    Charge, Limit, LimitRules, MAX_CHARGES, NamedQuota, Network, Per, Period, Policy, QuotaCharge,
    Rate, Who,
};
use crate::Caller;

/// One policy with its numbers, for one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// What clients read.
    pub name: String,
    /// Tells this policy from every other one of the application: `policy search`, `GET /v1/tickets 0`.
    pub space: String,
    /// Its place among the buckets of the plan.
    pub slot: usize,
    /// A number for the space, the same for the same text.
    pub id: u64,
    /// The rate, as it was said.
    pub rate: Rate,
    /// The microseconds after which one call comes back.
    pub interval: i64,
    /// The microseconds after which all calls are back.
    pub tolerance: i64,
    /// How many calls a request counts as.
    pub cost: u32,
}

/// One quota with its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaBucket {
    /// Its name.
    pub name: String,
    /// How many calls, without any tier.
    pub calls: u64,
    /// In which time.
    pub period: Period,
    /// Its place among the quotas of the plan.
    pub slot: usize,
    /// How many calls a request counts as.
    pub cost: u64,
}

/// Why the words at a route make no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There is no policy of this name.
    UnknownPolicy {
        /// The name.
        name: &'static str,
        /// Those there are.
        known: Vec<String>,
    },
    /// There is no quota of this name.
    UnknownQuota {
        /// The name.
        name: &'static str,
        /// Those there are.
        known: Vec<String>,
    },
    /// A policy can not be counted: what it must be.
    Wrong(String),
    /// There are too many of them.
    TooMany,
    /// `unlimited` without a reason.
    NoReason,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, known: &[String]| {
            let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
            f.write_str(&known.join(", "))
        };
        match self {
            PlanError::UnknownPolicy { name, known } => {
                write!(
                    f,
                    "there is no policy `{name}`: add `{name}: 30/1m per user` to `limits.policies`, or use one of "
                )?;
                list(f, known)
            }
            PlanError::UnknownQuota { name, known } if known.is_empty() => write!(
                f,
                "there is no quota `{name}`: add `{name}: 1000/day` to `limits.quotas`"
            ),
            PlanError::UnknownQuota { name, known } => {
                write!(
                    f,
                    "there is no quota `{name}`: add `{name}: 1000/day` to `limits.quotas`, or use one of "
                )?;
                list(f, known)
            }
            PlanError::Wrong(what) => write!(f, "its limit must be {what}"),
            PlanError::TooMany => write!(
                f,
                "it has more than {MAX_CHARGES} policies, quotas counted apart: remove some"
            ),
            PlanError::NoReason => {
                f.write_str("`unlimited` needs a reason: say why no limit is needed")
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// A policy of the route: whose calls, and where its buckets begin: one for each tier.
#[derive(Clone, Copy, Debug)]
struct Rule {
    per: Per,
    first: usize,
    tiered: bool,
}

/// What holds at one route.
#[derive(Clone, Debug)]
pub struct Plan {
    buckets: Vec<Bucket>,
    rules: Vec<Rule>,
    known: Rule,
    unknown: Rule,
    quotas: Vec<QuotaBucket>,
    common: Arc<LimitRules>,
    unlimited: Option<&'static str>,
}

/// The charges of one request, in a place that needs no allocation.
pub type Slots<'a> = [Charge<'a>; MAX_CHARGES];

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
        match said.map(|limit| &limit.0) {
            Some(Said::Unlimited(reason)) if reason.trim().is_empty() => {
                return Err(PlanError::NoReason);
            }
            Some(Said::Unlimited(reason)) => plan.unlimited = Some(reason),
            Some(Said::Policies(said)) => policies = said,
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
            Source::Here(per, rate) => {
                let name = policy.name.unwrap_or(per.word());
                self.fixed(
                    name,
                    &format!("{route} {at}"),
                    per,
                    burst(rate),
                    policy.cost,
                )?
            }
            Source::Named("default") => {
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
            Source::Named(name) => {
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
            Source::Quota(_) if policy.burst.is_some() => {
                let must = "without `burst` where it is a quota, which has none; add a rate such as `per_user(5, MINUTE)`";
                return Err(PlanError::Wrong(must.to_owned()));
            }
            Source::Quota(name) => {
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
        // What counts everybody together, or nobody in particular, has no tier.
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

    /// Two policies of one name at a route: the later ones get a number, so that clients can tell them apart.
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

    /// Why it has no limit, when it has none.
    pub const fn unlimited(&self) -> Option<&'static str> {
        self.unlimited
    }

    /// All buckets, by their slots.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// The quotas that count at the route, by their slots.
    pub fn quotas(&self) -> &[QuotaBucket] {
        &self.quotas
    }

    /// The policies as people read them: `20/1m per user`.
    pub fn describe(&self) -> Vec<String> {
        if let Some(reason) = self.unlimited {
            return vec![format!("unlimited: {reason}")];
        }
        let defaults = [self.known, self.unknown];
        let rules: &[Rule] = if self.rules.is_empty() {
            &defaults
        } else {
            &self.rules
        };
        let rules = rules.iter().map(|rule| {
            let bucket = &self.buckets[rule.first];
            format!("{}: {} per {}", bucket.name, bucket.rate, rule.per.word())
        });
        let quotas = self
            .quotas
            .iter()
            .map(|quota| format!("{}: {}/{}", quota.name, quota.calls, quota.period.word()));
        rules.chain(quotas).collect()
    }

    /// The charges of a request, and how many they are; 0 for a route without a limit. `permitted`: the route lets this caller in.
    pub fn charges<'a>(
        &'a self,
        caller: Option<&'a Caller>,
        permitted: bool,
        address: Option<IpAddr>,
    ) -> (Slots<'a>, usize) {
        let tier = caller.map_or(0, |caller| self.common.tier(caller));
        let (rule, who) = match caller {
            Some(caller) => (&self.known, Who::User(&caller.subject)),
            None => (&self.unknown, Who::Address(Network::of(address))),
        };
        // The default stands in the first place until a policy of the route takes it.
        let mut slots = [self.charge(rule, tier, who); MAX_CHARGES];
        if self.unlimited.is_some() {
            return (slots, 0);
        }
        let mut count = 0;
        for rule in &self.rules {
            let who = match (rule.per, caller) {
                (Per::User | Per::Client, Some(caller)) => Who::User(&caller.subject),
                (Per::Client, None) | (Per::Address, None) => Who::Address(Network::of(address)),
                (Per::Address, Some(_)) => Who::KnownAddress(Network::of(address)),
                (Per::Key, Some(caller)) => match &caller.key {
                    Some(key) => Who::Key(key),
                    None => continue,
                },
                (Per::Route, _) if permitted => Who::Everybody,
                (Per::User | Per::Key | Per::Route, _) => continue,
            };
            slots[count] = self.charge(rule, tier, who);
            count += 1;
        }
        (slots, count.max(1))
    }

    fn charge<'a>(&'a self, rule: &Rule, tier: usize, who: Who<'a>) -> Charge<'a> {
        let slot = rule.first + if rule.tiered { tier } else { 0 };
        Charge {
            bucket: &self.buckets[slot],
            who,
        }
    }

    /// The calls on quotas of a request. Only known callers have quotas.
    pub fn quota_charges<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> impl Iterator<Item = QuotaCharge<'a>> {
        let factor = u64::from(self.common.factor(caller));
        self.quotas.iter().map(move |quota| QuotaCharge {
            quota,
            subject: &caller.subject,
            calls: quota.cost,
            limit: quota.calls.saturating_mul(factor),
        })
    }
}

/// A number for a text, the same on each node and after each start (FNV-1a).
fn number(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
