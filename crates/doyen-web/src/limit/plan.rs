//! What holds at one route, with its numbers: made once at start from its words and the rules.

mod build;

use std::net::IpAddr;
use std::sync::Arc;

use doyen_core::Caller;
use doyen_core::limit::{Bucket, Charge, MAX_CHARGES, Network, Per, QuotaBucket, QuotaCharge, Who};

use super::LimitRules;

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

    /// The charges of a request, and how many they are; 0 for a route without a limit. `permitted`:
    /// the route lets this caller in.
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
        // The default is first until a policy of the route replaces it.
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
                (Per::Route, _) if permitted => Who::Global,
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
