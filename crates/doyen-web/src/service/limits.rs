//! How often each route may be called: made at start; `trip/limit.rs` asks it.

use std::sync::Arc;

use crate::limit::{LimitRules, Plan, PlanError};
use doyen_core::limit::{Bucket, Limiter, Quotas};
use doyen_core::{Limit, per_address};
use http::HeaderValue;

/// Who counts calls, and what holds where a route says nothing. Without one nothing is limited.
#[derive(Clone)]
pub struct RateLimits {
    pub(crate) rules: Arc<LimitRules>,
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) quotas: Option<Arc<dyn Quotas>>,
}

impl std::fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimits")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl RateLimits {
    /// These rules, counted here.
    pub fn new(rules: LimitRules, limiter: Arc<dyn Limiter>) -> Self {
        Self {
            rules: Arc::new(rules),
            limiter,
            quotas: None,
        }
    }

    /// Counts the quotas of the rules here.
    #[must_use]
    pub fn quotas(mut self, quotas: Arc<dyn Quotas>) -> Self {
        self.quotas = Some(quotas);
        self
    }
}

/// What holds at a route, and the texts that its answers carry.
pub(crate) struct Limited {
    pub(crate) plan: Plan,
    pub(crate) fields: Vec<Fields>,
}

/// The texts of one policy: what never changes is written once.
pub(crate) struct Fields {
    /// `"default";q=600;w=60`
    pub(crate) policy: HeaderValue,
    /// `"default";r=`
    pub(crate) state: String,
}

impl Limited {
    /// What holds at the route of this name.
    pub(crate) fn new(
        route: &str,
        said: Option<&Limit>,
        limits: &RateLimits,
    ) -> Result<Self, PlanError> {
        let plan = Plan::new(route, said, &limits.rules)?;
        let fields = plan.buckets().iter().map(Fields::of).collect();
        Ok(Self { plan, fields })
    }

    /// What holds for requests that no route answers, per address: as many as an address may make
    /// without a known caller, in a bucket of their own.
    pub(crate) fn unmatched(limits: &RateLimits) -> Result<Self, PlanError> {
        let rate = limits.rules.anonymous;
        let policy = per_address(rate.calls(), rate.window())
            .burst(rate.burst())
            .named("unmatched");
        Self::new("unmatched", Some(&policy.into()), limits)
    }
}

impl Fields {
    fn of(bucket: &Bucket) -> Self {
        let (name, rate) = (&bucket.name, &bucket.rate);
        let policy = format!(
            "\"{name}\";q={};w={}",
            rate.calls(),
            rate.window().as_secs()
        );
        Self {
            // Names are letters, digits, `-` and `_`: the plan refuses others.
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("")),
            state: format!("\"{name}\";r="),
        }
    }
}
