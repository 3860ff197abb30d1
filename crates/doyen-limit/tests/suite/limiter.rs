//! Tests of the `Limiter` port. Windows are long enough that no call returns during a test, so the
//! system clock works as well as a manual one.

use std::sync::Arc;

use doyen_core::limit::Limiter;
use doyen_core::{DAY, HOUR, per_key, per_route, per_user};
use doyen_web::limit::Plan;

use crate::kit::{ask, plan};

/// Exactly the limit passes, with one fewer left each time. Then requests are refused with the time
/// to wait.
pub(crate) async fn counts_down(limiter: Arc<dyn Limiter>, name: &str) {
    let plan = plan(name, per_user(5, DAY));
    for left in (0..5).rev() {
        let verdict = ask(&*limiter, &plan, "ada").await;
        assert!(verdict.allowed);
        assert_eq!((verdict.remaining, verdict.violated), (left, 0));
        assert!(
            verdict.renews > 17_000 && verdict.renews <= 17_280,
            "{verdict:?}"
        );
    }
    let first = ask(&*limiter, &plan, "ada").await;
    assert!(!first.allowed);
    assert_eq!((first.remaining, first.violated), (0, 1));
    assert!(
        first.retry_after >= first.renews && first.retry_after > 17_000,
        "{first:?}"
    );
    // A refusal does not extend the wait.
    for _ in 0..50 {
        let again = ask(&*limiter, &plan, "ada").await;
        assert!(!again.allowed && again.retry_after <= first.retry_after);
    }
    assert!(ask(&*limiter, &plan, "grace").await.allowed);
}

/// All policies of a request are charged, or none.
pub(crate) async fn charges_all_or_none(limiter: Arc<dyn Limiter>, name: &str) {
    let plan = plan(
        name,
        (
            per_user(2, DAY),
            per_route(3, DAY).cost(1),
            per_user(10, HOUR).named("hour").burst(10),
        ),
    );
    assert!(ask(&*limiter, &plan, "ada").await.allowed);
    assert!(ask(&*limiter, &plan, "ada").await.allowed);
    // The user's policy refuses: the route's is not charged.
    for _ in 0..10 {
        let verdict = ask(&*limiter, &plan, "ada").await;
        assert_eq!(
            (verdict.allowed, verdict.violated, verdict.tightest),
            (false, 1, 0)
        );
    }
    let verdict = ask(&*limiter, &plan, "grace").await;
    assert!(verdict.allowed);
    assert_eq!((verdict.tightest, verdict.remaining), (1, 0));
    // Now the route's policy refuses: the user's is not charged.
    for _ in 0..10 {
        let verdict = ask(&*limiter, &plan, "grace").await;
        assert_eq!((verdict.allowed, verdict.violated), (false, 2));
    }
    let own = plan_of_first(&plan, name);
    assert_eq!(ask(&*limiter, &own, "grace").await.remaining, 0);
}

/// The first policy without the others: the same bucket.
fn plan_of_first(_: &Plan, name: &str) -> Plan {
    plan(name, per_user(2, DAY))
}

/// A call with a higher cost counts more. A cheap call may pass when an expensive one is refused.
pub(crate) async fn counts_costs(limiter: Arc<dyn Limiter>, name: &str) {
    let expensive = plan(name, per_user(10, DAY).cost(4));
    let cheap = plan(name, per_user(10, DAY));
    assert_eq!(ask(&*limiter, &expensive, "ada").await.remaining, 6);
    assert_eq!(ask(&*limiter, &expensive, "ada").await.remaining, 2);
    let refused = ask(&*limiter, &expensive, "ada").await;
    assert_eq!((refused.allowed, refused.remaining), (false, 2));
    assert!(refused.retry_after > refused.renews, "{refused:?}");
    assert_eq!(ask(&*limiter, &cheap, "ada").await.remaining, 1);
}

/// Concurrent calls: exactly the limit passes.
pub(crate) async fn is_exact(limiters: Vec<Arc<dyn Limiter>>, name: &str) {
    let plan = Arc::new(plan(name, (per_user(100, DAY), per_route(100_000, DAY))));
    let mut tasks = Vec::new();
    for at in 0..16 {
        let (limiter, plan) = (
            Arc::clone(&limiters[at % limiters.len()]),
            Arc::clone(&plan),
        );
        tasks.push(tokio::spawn(async move {
            let mut passed = 0;
            for _ in 0..25 {
                passed += u32::from(ask(&*limiter, &plan, "ada").await.allowed);
            }
            passed
        }));
    }
    let mut passed = 0;
    for task in tasks {
        passed += task.await.unwrap();
    }
    assert_eq!(passed, 100);
}

/// `per_key` does not apply to users: the default counts them.
#[test]
fn what_does_not_fit_falls_back_to_the_default() {
    let caller = doyen_core::Caller::new("ada");
    let plan = plan("GET /x", per_key(1, DAY));
    let (charges, count) = plan.charges(Some(&caller), true, None);
    assert_eq!((count, charges[0].bucket.name.as_str()), (1, "default"));
}
