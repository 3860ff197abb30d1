//! Order, delays, and the limits of queues.

use std::time::Duration;

use doyen::domain::{JobStatus, NewJob};
use doyen::jobs::Worker;
use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};

use crate::kit::{Idle, Stubborn, Working, effect, enqueue, run_due, script, status, until};

#[doyen_test::test]
async fn higher_priorities_run_first_and_then_older_ones(app: Idle) {
    for (name, priority) in [("b", 0), ("c", 0), ("d", -5), ("a", 9)] {
        enqueue(&app, NewJob::new(effect(name)).priority(priority)).await;
    }
    assert_eq!(app.run_due().await, 4);
    assert_eq!(script(&app).await.order(), ["a", "b", "c", "d"]);
}

#[doyen_test::test]
async fn a_delayed_job_waits_for_its_time(app: Idle) {
    let id = enqueue(&app, NewJob::new(effect("later")).after(HOUR)).await;
    let at = app.clock().now() + DAY;
    let tomorrow = enqueue(&app, NewJob::new(effect("tomorrow")).at(at)).await;
    assert_eq!(app.run_due().await, 0);
    assert_eq!(status(&app, id).await, JobStatus::Queued);
    app.clock().advance(HOUR);
    assert_eq!(app.run_due().await, 1);
    app.clock().advance(DAY - HOUR - Duration::from_micros(1));
    assert_eq!(app.run_due().await, 0);
    app.clock().advance(Duration::from_micros(1));
    assert_eq!(app.run_due().await, 1);
    assert_eq!(status(&app, tomorrow).await, JobStatus::Done);
}

/// Queues with limits.
struct Limited(TestApp);

impl Subject for Limited {
    fn app() -> App {
        Idle::app()
    }
    fn setup() -> Setup {
        Idle::setup().set("jobs.queues", "default: 4 3/1m, slow: 5 of 2")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn the_rate_of_a_queue_holds_over_nodes(app: Limited) {
    let app = &app.0;
    let other = app.another(Limited::setup()).await;
    for _ in 0..10 {
        enqueue(app, effect("x")).await;
    }
    assert_eq!(run_due(app).await + run_due(&other).await, 3);
    app.clock().advance(secs(20));
    assert_eq!(run_due(&other).await + run_due(app).await, 1);
    app.clock().advance(secs(19));
    assert_eq!(run_due(&other).await + run_due(app).await, 0);
    app.clock().advance(MINUTE);
    assert_eq!(run_due(&other).await + run_due(app).await, 3);
}

#[doyen_test::test]
async fn the_total_of_a_queue_holds_over_nodes(app: Limited) {
    let app = &app.0;
    let other = app.another(Limited::setup()).await;
    for _ in 0..3 {
        enqueue(app, Stubborn {}).await;
    }
    let mut running = Vec::new();
    for node in [app, &other] {
        let worker = node.inject::<Worker>().await;
        let started = script(node).await;
        running.push(tokio::spawn(async move { worker.run_due().await.is_ok() }));
        started.started.notified().await;
    }
    assert_eq!(
        run_due(app).await + run_due(&other).await,
        0,
        "a third job started"
    );
    for node in [app, &other] {
        let script = script(node).await;
        script.release.notify_one();
        script.release.notify_waiters();
    }
    // The third one runs now, on either.
    let release = async {
        loop {
            for node in [app, &other] {
                script(node).await.release.notify_one();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = async {
        for run in running {
            assert!(run.await.unwrap());
        }
    };
    tokio::select! { () = release => {}, () = ended => {} }
    assert_eq!(app.count("effects").await, 3);
}

#[doyen_test::test]
async fn two_nodes_share_the_jobs_and_run_each_once(app: Working) {
    let other = app.another(Working::setup()).await;
    let mut ids = Vec::new();
    for n in 0..100 {
        ids.push(enqueue(&app, effect(&format!("job {n}"))).await);
    }
    for id in ids {
        until(&app, id, JobStatus::Done).await;
    }
    assert_eq!(app.count("effects").await, 100);
    assert_eq!(
        app.count("(SELECT DISTINCT name FROM effects) AS names")
            .await,
        100
    );
    other.runtime().stop().await;
}
