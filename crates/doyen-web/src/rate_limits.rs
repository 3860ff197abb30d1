//! The rate limits of each route, prepared at startup. `pipeline/rate_limit.rs` applies them.

use std::sync::Arc;

use crate::limit::{LimitRules, Plan, PlanError};
use doyen_core::limit::{Bucket, Limiter, Quotas};
use doyen_core::{Limit, per_address};
use http::HeaderValue;

/// The rate limiter, the quotas and the default limits.
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
    /// Creates rate limits with these rules and this limiter.
    pub fn new(rules: LimitRules, limiter: Arc<dyn Limiter>) -> Self {
        Self {
            rules: Arc::new(rules),
            limiter,
            quotas: None,
        }
    }

    /// Sets the port that counts the quotas of the rules.
    #[must_use]
    pub fn quotas(mut self, quotas: Arc<dyn Quotas>) -> Self {
        self.quotas = Some(quotas);
        self
    }
}

/// The limits of one route, with prepared texts for response headers.
pub(crate) struct RouteLimits {
    pub(crate) plan: Plan,
    /// One for each bucket of the plan.
    pub(crate) header_texts: Vec<HeaderTexts>,
}

/// The constant parts of the headers for one policy.
pub(crate) struct HeaderTexts {
    /// `"default";q=600;w=60`
    pub(crate) policy: HeaderValue,
    /// `"default";r=`
    pub(crate) state: String,
}

impl RouteLimits {
    /// Plans the limits of a route.
    pub(crate) fn new(
        route: &str,
        declared: Option<&Limit>,
        limits: &RateLimits,
    ) -> Result<Self, PlanError> {
        let plan = Plan::new(route, declared, &limits.rules)?;
        let header_texts = plan.buckets().iter().map(HeaderTexts::of).collect();
        Ok(Self { plan, header_texts })
    }

    /// Plans the limit per address for requests without a route: that of anonymous requests, in a
    /// bucket of its own.
    pub(crate) fn unmatched(limits: &RateLimits) -> Result<Self, PlanError> {
        let rate = limits.rules.anonymous;
        let policy = per_address(rate.calls(), rate.window())
            .burst(rate.burst())
            .named("unmatched");
        Self::new("unmatched", Some(&policy.into()), limits)
    }
}

impl HeaderTexts {
    fn of(bucket: &Bucket) -> Self {
        let (name, rate) = (&bucket.name, &bucket.rate);
        let policy = format!(
            "\"{name}\";q={};w={}",
            rate.calls(),
            rate.window().as_secs()
        );
        Self {
            // The plan accepts only letters, digits, `-` and `_` in names.
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("")),
            state: format!("\"{name}\";r="),
        }
    }
}
