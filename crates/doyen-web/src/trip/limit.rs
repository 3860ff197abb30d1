//! How often?
//!
//! After `identify`, since most limits count by user; before `allow`, so that calls which are refused there are limited too. What is counted:
//!
//! - A caller who is known by the user, all others by their address, in buckets of their own: who can not log in uses up nothing of a user.
//! - Calls with credentials that are not valid by their address, like calls without any. Their signature is looked at first all the same: who
//!   refused by address before that would let one bad neighbour lock out every user behind the same address.
//! - What everybody shares (`per_route`), and quotas, only by calls that the route permits.
//!
//! All of a request's policies count it, or none. What is refused here is counted nowhere, so that who waits as long as the answer says is let in.

use std::net::IpAddr;

use doyen_core::limit::{
    Charge, Decision, MAX_CHARGES, QUOTA_EXCEEDED, QuotaCharge, QuotaTaken, Verdict,
};
use doyen_core::{Caller, Problem, ProblemInfo, Refusal};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::Response;
use crate::route::Entry;
use crate::service::{Inner, Limited, RateLimits};

pub(super) const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(super) const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What the answer says of the policy that is closest to refusing (draft-ietf-httpapi-ratelimit-headers-10).
pub(super) struct Shown {
    policy: HeaderValue,
    state: HeaderValue,
}

/// Counts the request. `shown` is what its answer carries, whatever becomes of it later.
pub(super) async fn check(
    inner: &Inner,
    entry: &Entry,
    caller: Option<&Caller>,
    permitted: bool,
    address: Option<IpAddr>,
    shown: &mut Option<Shown>,
) -> Result<(), Refusal> {
    let (Some(limits), Some(limited)) = (&inner.limits, &entry.limited) else {
        return Ok(());
    };
    let (charges, count) = limited.plan.charges(caller, permitted, address);
    let charges = &charges[..count];
    let known = caller.filter(|_| permitted && !limited.plan.quotas().is_empty());
    if let Some(caller) = known {
        return with_quotas(limits, limited, caller, charges, shown).await;
    }
    if charges.is_empty() {
        return Ok(());
    }
    count_rates(limits, limited, charges, shown).await
}

async fn count_rates(
    limits: &RateLimits,
    limited: &Limited,
    charges: &[Charge<'_>],
    shown: &mut Option<Shown>,
) -> Result<(), Refusal> {
    let verdict = match limits.limiter.charge(charges) {
        Decision::Now(verdict) => verdict,
        Decision::Later(verdict) => verdict.await,
    };
    *shown = Some(of_rate(limited, charges, &verdict));
    if verdict.allowed {
        Ok(())
    } else {
        Err(refuse(charges, &verdict))
    }
}

/// Counts a request that no route answers, by its address: else a client could ask for what is not
/// there as often as it likes.
pub(super) async fn check_unmatched(
    inner: &Inner,
    address: Option<IpAddr>,
    shown: &mut Option<Shown>,
) -> Result<(), Refusal> {
    let (Some(limits), Some(limited)) = (&inner.limits, &inner.unmatched) else {
        return Ok(());
    };
    let (charges, count) = limited.plan.charges(None, false, address);
    count_rates(limits, limited, &charges[..count], shown).await
}

/// Quotas first: what they hold in memory can be given back when a rate refuses.
async fn with_quotas(
    limits: &RateLimits,
    limited: &Limited,
    caller: &Caller,
    charges: &[Charge<'_>],
    shown: &mut Option<Shown>,
) -> Result<(), Refusal> {
    let quotas: Vec<QuotaCharge<'_>> = limited
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
        *shown = Some(of_quota(&quotas, &taken));
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
        *shown = Some(of_quota(&quotas, &taken));
        return Ok(());
    };
    if !verdict.allowed {
        if let Some(port) = &limits.quotas {
            port.give_back(&quotas);
        }
        *shown = Some(of_rate(limited, charges, &verdict));
        return Err(refuse(charges, &verdict));
    }
    *shown = Some(if taken.remaining < u64::from(verdict.remaining) {
        of_quota(&quotas, &taken)
    } else {
        of_rate(limited, charges, &verdict)
    });
    Ok(())
}

fn of_rate(limited: &Limited, charges: &[Charge<'_>], verdict: &Verdict) -> Shown {
    let fields = &limited.fields[charges[verdict.tightest].bucket.slot];
    let mut state = String::with_capacity(fields.state.len() + 24);
    state.push_str(&fields.state);
    number(&mut state, u64::from(verdict.remaining));
    state.push_str(";t=");
    number(&mut state, u64::from(verdict.renews));
    Shown {
        policy: fields.policy.clone(),
        state: value(state),
    }
}

fn of_quota(charges: &[QuotaCharge<'_>], taken: &QuotaTaken) -> Shown {
    let charge = &charges[taken.tightest];
    let quota = charge.quota;
    let name = &quota.name;
    Shown {
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

/// In place of `format!`: this runs for each request.
fn number(text: &mut String, mut number: u64) {
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

/// Puts the fields on the answer. They replace what a route wrote by hand: the edge knows better.
pub(super) fn apply(response: &mut Response, shown: Option<Shown>) {
    if let Some(Shown { policy, state }) = shown {
        let headers = response.headers_mut();
        headers.insert(POLICY, policy);
        headers.insert(STATE, state);
    }
}

fn refuse(charges: &[Charge<'_>], verdict: &Verdict) -> Refusal {
    let names = charges.iter().map(|charge| charge.bucket.name.as_str());
    Exceeded::new(names, verdict.violated, verdict.retry_after).into()
}

/// 429: the policies that refuse, and when to come back.
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
    use super::number;

    #[test]
    fn numbers_are_written_as_numbers() {
        for n in [0, 7, 10, 599, 4_294_967_295, u64::MAX] {
            let mut text = String::new();
            number(&mut text, n);
            assert_eq!(text, n.to_string());
        }
    }
}
