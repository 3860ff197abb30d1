//! Failures: rolled back, retried on a schedule, and dead in the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use doyen::domain::{JobStatus, NewJob};
use doyen::prelude::*;

use crate::kit::{Effect, Ending, Idle, effect, enqueue, job, script, status};

#[doyen_test::test]
async fn a_failed_attempt_leaves_nothing_and_is_repeated_after_its_pause(app: Idle) {
    let script = script(&app).await;
    script.failures.store(3, Ordering::SeqCst);
    let id = enqueue(&app, effect("tea")).await;
    for attempt in 1..=3 {
        assert_eq!(app.run_due().await, 1);
        let failed = job(&app, id).await;
        assert_eq!(
            (failed.status, failed.attempts),
            (JobStatus::Queued, attempt)
        );
        assert_eq!(failed.error.as_deref(), Some("on purpose"));
        assert_eq!(
            app.count("effects").await,
            0,
            "the effect was not rolled back"
        );
        let pause = failed.run_at.since(app.clock().now());
        let least = Effect::backoff(attempt);
        assert!(pause >= least && pause <= least.mul_f64(1.25), "{pause:?}");
        app.clock().advance(pause - Duration::from_micros(1));
        assert_eq!(app.run_due().await, 0, "too early");
        app.clock().advance(Duration::from_micros(1));
    }
    assert_eq!(app.run_due().await, 1);
    assert_eq!(status(&app, id).await, JobStatus::Done);
    assert_eq!(app.count("effects").await, 1);
}

#[doyen_test::test]
async fn attempts_end_and_a_dead_job_can_be_retried(app: Idle) {
    let script = script(&app).await;
    script.failures.store(2, Ordering::SeqCst);
    let id = enqueue(&app, NewJob::new(effect("tea")).max_attempts(2)).await;
    assert_eq!(app.run_due().await, 1);
    app.clock().advance(HOUR);
    assert_eq!(app.run_due().await, 1);
    assert_eq!(status(&app, id).await, JobStatus::Failed);
    app.clock().advance(DAY);
    assert_eq!(app.run_due().await, 0, "a failed job runs no more");
    let said = crate::commands::run(&app, "jobs retry", &[&id.to_string(), "false"]).await;
    assert!(said.unwrap().contains("waits for a worker"));
    assert_eq!(app.run_due().await, 1);
    assert_eq!(status(&app, id).await, JobStatus::Done);
    assert_eq!(app.count("effects").await, 1);
}

#[doyen_test::test]
async fn the_error_decides_what_follows(app: Idle) {
    let permanent = enqueue(&app, Ending::Permanent).await;
    let busy = enqueue(&app, Ending::RetryIn(90)).await;
    let panics = enqueue(&app, Ending::Panic).await;
    let large = enqueue(&app, Ending::Large).await;
    assert_eq!(app.run_due().await, 4);
    let failed = job(&app, permanent).await;
    assert_eq!((failed.status, failed.attempts), (JobStatus::Failed, 1));
    assert_eq!(failed.error.as_deref(), Some("no such mailbox"));
    let failed = job(&app, busy).await;
    assert_eq!(failed.run_at.since(app.clock().now()), secs(90));
    let failed = job(&app, panics).await;
    assert_eq!(failed.status, JobStatus::Queued);
    assert_eq!(failed.error.as_deref(), Some("it panicked: on purpose"));
    let failed = job(&app, large).await;
    assert_eq!(failed.status, JobStatus::Failed);
    assert!(failed.error.unwrap().contains("`jobs.max_result`"));
}

#[doyen_test::test]
async fn a_payload_that_cannot_be_read_is_dead_at_once(app: Idle) {
    let id = enqueue(&app, effect("tea")).await;
    app.execute("UPDATE jobs SET payload = '{}'", []).await;
    assert_eq!(app.run_due().await, 1);
    let failed = job(&app, id).await;
    assert_eq!(failed.status, JobStatus::Failed);
    assert!(failed.error.unwrap().contains("missing field `name`"));
}
