//! Rate limits and quotas.
//!
//! The step runs after `identify`, since most limits count by user, and before the rejections of
//! `authorize`, so that rejected requests are limited too:
//!
//! - Requests of an authenticated caller count by user, all others by address. Anonymous clients
//!   therefore use up nothing of a user.
//! - Requests with invalid credentials count by address. Their signature is verified all the same:
//!   otherwise one bad client could lock out every user behind the same address.
//! - Shared limits (`per_route`) and quotas count only permitted requests.
//!
//! Either all policies of a request count it, or none. A rejected request is not counted, so a
//! client that waits as long as the response says is let in.

use std::net::IpAddr;

use doyen_core::limit::{
    Charge, Decision, MAX_CHARGES, QUOTA_EXCEEDED, QuotaCharge, QuotaTaken, Verdict,
};
use doyen_core::{Caller, Problem, ProblemInfo, Refusal};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::Pipeline;
use crate::Response;
use crate::rate_limits::{RateLimits, RouteLimits};
use crate::route_info::RouteInfo;

pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(super) const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// The response headers for the policy that is closest to its limit
/// (draft-ietf-httpapi-ratelimit-headers-10).
pub(super) struct RateLimitHeaders {
    policy: HeaderValue,
    state: HeaderValue,
}

/// Counts the request. `headers` is set for its response, whatever happens later.
pub(super) async fn check(
    pipeline: &Pipeline,
    route: &RouteInfo,
    caller: Option<&Caller>,
    is_permitted: bool,
    address: Option<IpAddr>,
    headers: &mut Option<RateLimitHeaders>,
) -> Result<(), Refusal> {
    let (Some(limits), Some(route_limits)) = (&pipeline.rate_limits, &route.limits) else {
        return Ok(());
    };
    let (charges, count) = route_limits.plan.charges(caller, is_permitted, address);
    let charges = &charges[..count];
    let known = caller.filter(|_| is_permitted && !route_limits.plan.quotas().is_empty());
    if let Some(caller) = known {
        return count_quotas_and_rates(limits, route_limits, caller, charges, headers).await;
    }
    if charges.is_empty() {
        return Ok(());
    }
    count_rates(limits, route_limits, charges, headers).await
}

async fn count_rates(
    limits: &RateLimits,
    route_limits: &RouteLimits,
    charges: &[Charge<'_>],
    headers: &mut Option<RateLimitHeaders>,
) -> Result<(), Refusal> {
    let verdict = match limits.limiter.charge(charges) {
        Decision::Now(verdict) => verdict,
        Decision::Later(verdict) => verdict.await,
    };
    *headers = Some(of_rate(route_limits, charges, &verdict));
    if verdict.allowed {
        Ok(())
    } else {
        Err(exceeded(charges, &verdict))
    }
}

/// Counts a request without a route by its address, so that it is limited too.
pub(super) async fn check_unmatched(
    pipeline: &Pipeline,
    address: Option<IpAddr>,
    headers: &mut Option<RateLimitHeaders>,
) -> Result<(), Refusal> {
    let (Some(limits), Some(route_limits)) = (&pipeline.rate_limits, &pipeline.unmatched_limits)
    else {
        return Ok(());
    };
    let (charges, count) = route_limits.plan.charges(None, false, address);
    count_rates(limits, route_limits, &charges[..count], headers).await
}

/// Counts quotas first: they can be given back if a rate limit rejects the request.
async fn count_quotas_and_rates(
    limits: &RateLimits,
    route_limits: &RouteLimits,
    caller: &Caller,
    charges: &[Charge<'_>],
    headers: &mut Option<RateLimitHeaders>,
) -> Result<(), Refusal> {
    let quotas: Vec<QuotaCharge<'_>> = route_limits
        .plan
        .quota_charges(caller)
        .take(MAX_CHARGES)
        .collect();
    let taken = match &limits.quotas {
        Some(port) => match port.take(&quotas) {
            Decision::Now(taken) => taken,
            Decision::Later(taken) => taken.await,
        },
        None => return Ok(()),
    };
    if !taken.allowed {
        *headers = Some(of_quota(&quotas, &taken));
        let names = quotas.iter().map(|charge| charge.quota.name.as_str());
        return Err(Exceeded::new(names, taken.violated, taken.resets).into());
    }
    let verdict = match charges {
        [] => None,
        charges => Some(match limits.limiter.charge(charges) {
            Decision::Now(verdict) => verdict,
            Decision::Later(verdict) => verdict.await,
        }),
    };
    let Some(verdict) = verdict else {
        *headers = Some(of_quota(&quotas, &taken));
        return Ok(());
    };
    if !verdict.allowed {
        if let Some(port) = &limits.quotas {
            port.give_back(&quotas);
        }
        *headers = Some(of_rate(route_limits, charges, &verdict));
        return Err(exceeded(charges, &verdict));
    }
    *headers = Some(if taken.remaining < u64::from(verdict.remaining) {
        of_quota(&quotas, &taken)
    } else {
        of_rate(route_limits, charges, &verdict)
    });
    Ok(())
}

fn of_rate(
    route_limits: &RouteLimits,
    charges: &[Charge<'_>],
    verdict: &Verdict,
) -> RateLimitHeaders {
    let texts = &route_limits.header_texts[charges[verdict.tightest].bucket.slot];
    let mut state = String::with_capacity(texts.state.len() + 24);
    state.push_str(&texts.state);
    push_number(&mut state, u64::from(verdict.remaining));
    state.push_str(";t=");
    push_number(&mut state, u64::from(verdict.renews));
    RateLimitHeaders {
        policy: texts.policy.clone(),
        state: value(state),
    }
}

fn of_quota(charges: &[QuotaCharge<'_>], taken: &QuotaTaken) -> RateLimitHeaders {
    let charge = &charges[taken.tightest];
    let quota = charge.quota;
    let name = &quota.name;
    RateLimitHeaders {
        policy: value(format!(
            "\"{name}\";q={};w={}",
            charge.limit,
            quota.period.seconds()
        )),
        state: value(format!(
            "\"{name}\";r={};t={}",
            taken.remaining, taken.resets
        )),
    }
}

/// Appends a number. Cheaper than `format!`, and this runs for each request.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.push_str(std::str::from_utf8(&digits[at..]).unwrap_or("0"));
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Sets the headers. Replaces those that a route has set itself.
pub(super) fn apply(response: &mut Response, rate_limit: Option<RateLimitHeaders>) {
    if let Some(RateLimitHeaders { policy, state }) = rate_limit {
        let headers = response.headers_mut();
        headers.insert(POLICY, policy);
        headers.insert(STATE, state);
    }
}

fn exceeded(charges: &[Charge<'_>], verdict: &Verdict) -> Refusal {
    let names = charges.iter().map(|charge| charge.bucket.name.as_str());
    Exceeded::new(names, verdict.violated, verdict.retry_after).into()
}

/// The 429: the violated policies, and when to retry.
struct Exceeded {
    violated: Vec<Value>,
    seconds: u32,
}

impl Exceeded {
    fn new<'a>(names: impl Iterator<Item = &'a str>, violated: u8, seconds: u32) -> Self {
        let names = names
            .enumerate()
            .filter(|(at, _)| violated & (1 << at) != 0);
        Self {
            violated: names.map(|(_, name)| Value::from(name)).collect(),
            seconds: seconds.max(1),
        }
    }
}

#[diagnostic::do_not_recommend]
impl Problem for Exceeded {
    fn info(&self) -> &'static ProblemInfo {
        &QUOTA_EXCEEDED
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&QUOTA_EXCEEDED]
    }
    fn detail(&self) -> Option<String> {
        Some(match self.seconds {
            1 => "Too many requests. Try again in a second.".to_owned(),
            seconds => format!("Too many requests. Try again in {seconds} seconds."),
        })
    }
    fn retry_after(&self) -> Option<u32> {
        Some(self.seconds)
    }
    fn members(&self) -> Vec<(&'static str, Value)> {
        vec![("violated-policies", Value::Array(self.violated.clone()))]
    }
}

#[cfg(test)]
mod tests {
    use super::push_number;

    #[test]
    fn numbers_are_written_in_decimal() {
        for n in [0, 7, 10, 599, 4_294_967_295, u64::MAX] {
            let mut text = String::new();
            push_number(&mut text, n);
            assert_eq!(text, n.to_string());
        }
    }
}
