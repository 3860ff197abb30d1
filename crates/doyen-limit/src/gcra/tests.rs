use std::sync::Arc;

use doyen_core::limit::Policy;
use doyen_core::{Caller, Limit, per_user, secs};
use doyen_web::limit::{LimitRules, Plan};
use proptest::prelude::*;

use super::*;

fn plan(policy: Policy) -> Plan {
    Plan::new(
        "GET /x",
        Some(&Limit::from(policy)),
        &Arc::new(LimitRules::default()),
    )
    .unwrap()
}

/// A reference implementation: each used call is a number, the time of its return.
struct Model {
    interval: i64,
    /// Time at which each used call is available again.
    back: Vec<i64>,
}

impl Model {
    fn call(&mut self, now: i64, burst: u32, cost: u32) -> bool {
        self.back.retain(|at| *at > now);
        if self.back.len() + cost as usize > burst as usize {
            return false;
        }
        for _ in 0..cost {
            let last = self.back.last().copied().unwrap_or(now);
            self.back.push(last.max(now) + self.interval);
        }
        true
    }
}

proptest! {
    /// For any sequence of calls, bucket and model agree, and so does the number of calls left.
    #[test]
    fn it_agrees_with_a_simple_model(
        calls in 1_u32..40, window in 1_u64..100, burst in 1_u32..20,
        steps in proptest::collection::vec((0_i64..20_000_000, 1_u32..4), 1..80),
    ) {
        let cost = |wanted: u32| wanted.min(burst);
        let caller = Caller::new("u");
        let mut model = Model { interval: per_user(calls, secs(window)).rate().unwrap().1.interval(), back: Vec::new() };
        let (mut now, mut full_at) = (1_795_336_200_000_000, None);
        for (pause, wanted) in steps {
            now += pause;
            let cost = cost(wanted);
            let plan = plan(per_user(calls, secs(window)).burst(burst).cost(cost));
            let (charges, count) = plan.charges(Some(&caller), true, None);
            prop_assert_eq!(count, 1);
            let at = settle(full_at, now, charges[0].bucket.tolerance);
            let done = call(at, now, &charges[0]);
            prop_assert_eq!(done.is_ok(), model.call(now, burst, cost));
            let reading = match done {
                Ok(after) => { full_at = Some(after); Reading { level: after - now, wait: 0 } }
                Err(wait) => Reading { level: at - now, wait },
            };
            let received = verdict(&charges[..1], &[reading]);
            prop_assert_eq!(received.remaining as usize, burst as usize - model.back.len());
            prop_assert_eq!(received.allowed, done.is_ok());
            if !received.allowed {
                prop_assert!(received.retry_after >= 1 && received.retry_after >= received.renews);
                // The stated wait is enough, and a refusal does not change the bucket.
                let later = now + i64::from(received.retry_after) * 1_000_000;
                prop_assert!(call(settle(full_at, later, charges[0].bucket.tolerance), later, &charges[0]).is_ok());
            }
            if received.remaining < burst {
                let later = now + i64::from(received.renews) * 1_000_000;
                model.back.retain(|at| *at > later);
                prop_assert!(burst as usize - model.back.len() > received.remaining as usize);
                now = later;
            }
        }
    }
}

#[test]
fn a_clock_that_is_set_back_bans_no_client() {
    let (hour, minute) = (3_600_000_000, 60_000_000);
    // Far back: the bucket starts again. A little: it is empty, and no emptier.
    assert_eq!(settle(Some(5 * hour), hour, minute), hour);
    assert_eq!(settle(Some(hour + minute + 5), hour, minute), hour + minute);
    assert_eq!(settle(Some(hour - 1), hour, minute), hour);
    assert_eq!(settle(None, hour, minute), hour);
}
