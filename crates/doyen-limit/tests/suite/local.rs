//! The limiter in memory.

use std::sync::Arc;

use doyen_core::limit::Limiter;
use doyen_core::{DAY, MINUTE, per_user, secs};
use doyen_limit::Local;

use crate::kit::{ManualClock, ask, plan};
use crate::limiter;

fn local() -> (Arc<Local>, ManualClock) {
    let clock = ManualClock::new();
    (Arc::new(Local::new(Arc::new(clock.clone()), 10_000)), clock)
}

#[tokio::test]
async fn it_counts_down() {
    limiter::counts_down(local().0, "GET /a").await;
}

#[tokio::test]
async fn it_charges_all_or_none() {
    limiter::charges_all_or_none(local().0, "GET /a").await;
}

#[tokio::test]
async fn it_counts_costs() {
    limiter::counts_costs(local().0, "GET /a").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_is_exact() {
    limiter::is_exact(vec![local().0], "GET /a").await;
}

/// No effect at the edge of a window: in any span of a window, at most the limit and the burst
/// pass.
#[tokio::test]
async fn the_edge_of_a_window_lets_no_flood_through() {
    let (limiter, clock) = local();
    let plan = plan("GET /a", per_user(60, MINUTE).burst(10));
    let mut passed: Vec<i64> = Vec::new();
    // A client that tries a hundred times a second, for three windows.
    for step in 0..3 * 6000 {
        if ask(&*limiter, &plan, "ada").await.allowed {
            passed.push(step);
        }
        clock.forward(10_000);
    }
    for (at, first) in passed.iter().enumerate() {
        let within = passed[at..]
            .iter()
            .take_while(|step| **step - first < 6000)
            .count();
        assert!(within <= 70, "{within} in one minute");
    }
    assert!((180..=191).contains(&passed.len()), "{}", passed.len());
}

/// The stated wait is enough, to the second.
#[tokio::test]
async fn waiting_it_out_is_enough() {
    let (limiter, clock) = local();
    let plan = plan("GET /a", per_user(7, secs(60)).burst(2));
    for _ in 0..20 {
        let verdict = ask(&*limiter, &plan, "ada").await;
        if !verdict.allowed {
            clock.forward(i64::from(verdict.retry_after) * 1_000_000);
            assert!(ask(&*limiter, &plan, "ada").await.allowed);
        }
    }
}

/// After the clock was set back by a day, no client waits longer than for an empty bucket.
#[tokio::test]
async fn a_clock_that_is_set_back_bans_no_client() {
    let (limiter, clock) = local();
    let plan = plan("GET /a", per_user(60, MINUTE));
    assert!(ask(&*limiter, &plan, "ada").await.allowed);
    clock.forward(-86_400_000_000);
    let verdict = ask(&*limiter, &plan, "ada").await;
    assert!(verdict.retry_after <= 1, "{verdict:?}");
    clock.forward(1_000_000);
    assert!(ask(&*limiter, &plan, "ada").await.allowed);
}

/// A million addresses neither fill the memory nor reset the bucket of a caller that used up its
/// limit.
#[tokio::test]
async fn memory_is_bounded_and_a_ban_outlives_a_flood() {
    let clock = ManualClock::new();
    let limiter = Arc::new(Local::new(Arc::new(clock.clone()), 6_400));
    let plan = plan("GET /a", per_user(3, DAY));
    for _ in 0..3 {
        assert!(ask(&*limiter, &plan, "mallory").await.allowed);
    }
    for stranger in 0..50_000 {
        ask(&*limiter, &plan, &format!("stranger {stranger}")).await;
    }
    assert!(limiter.len() <= 6_400, "{}", limiter.len());
    assert!(!ask(&*limiter, &plan, "mallory").await.allowed);
    // Full buckets are dropped.
    clock.forward(2 * 86_400_000_000);
    for stranger in 0..10_000 {
        ask(&*limiter, &plan, &format!("other {stranger}")).await;
    }
    assert!(limiter.len() <= 6_400);
}

#[tokio::test]
async fn one_policy_at_two_routes_is_two_buckets() {
    let (limiter, _) = local();
    let limiter: Arc<dyn Limiter> = limiter;
    let (one, other) = (
        plan("GET /a", per_user(1, DAY)),
        plan("GET /b", per_user(1, DAY)),
    );
    assert!(ask(&*limiter, &one, "ada").await.allowed);
    assert!(!ask(&*limiter, &one, "ada").await.allowed);
    assert!(ask(&*limiter, &other, "ada").await.allowed);
}
