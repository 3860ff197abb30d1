//! A process that stops hands its jobs back, and one that was taken for dead commits nothing.

use std::time::Duration;

use doyen::domain::JobStatus;
use doyen::jobs::Worker;
use doyen_test::{Setup, Subject, TestApp};

use crate::kit::{
    HANG, Idle, Steps, Stubborn, Working, enqueue, job, run_due, script, status, until,
};

/// With little time to stop.
struct Hurried(TestApp);

impl Subject for Hurried {
    fn app() -> doyen::App {
        Working::app()
    }
    fn setup() -> Setup {
        Working::setup().set("jobs.drain", "10ms")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn a_job_of_steps_continues_on_another_node(app: Hurried) {
    let app = &app.0;
    let id = enqueue(
        app,
        Steps {
            steps: 4,
            wait_at: 2,
        },
    )
    .await;
    script(app).await.started.notified().await;
    app.runtime().drain(HANG).await;
    let back = job(app, id).await;
    assert_eq!(
        (back.status, back.attempts),
        (JobStatus::Queued, 0),
        "{back:?}"
    );
    assert_eq!(back.progress.done, 2);
    let other = app.another(Hurried::setup()).await;
    script(&other).await.release.notify_one();
    until(&other, id, JobStatus::Done).await;
    // Each step is there once.
    assert_eq!(app.count("effects").await, 4);
    assert_eq!(
        app.count("(SELECT DISTINCT name FROM effects) AS names")
            .await,
        4
    );
}

#[doyen_test::test]
async fn a_job_that_does_not_end_is_rolled_back_and_handed_back(app: Hurried) {
    let app = &app.0;
    let id = enqueue(app, Stubborn {}).await;
    script(app).await.started.notified().await;
    app.runtime().drain(HANG).await;
    let back = job(app, id).await;
    assert_eq!(
        (back.status, back.attempts),
        (JobStatus::Queued, 0),
        "{back:?}"
    );
    let other = app.another(Hurried::setup()).await;
    script(&other).await.release.notify_one();
    until(&other, id, JobStatus::Done).await;
    assert_eq!(app.count("effects").await, 1);
}

#[doyen_test::test]
async fn a_worker_that_lost_its_lease_commits_nothing(app: Idle) {
    let other = app.another(Idle::setup()).await;
    let id = enqueue(&app, Stubborn {}).await;
    let stalled = app.inject::<Worker>().await;
    let stalled = tokio::spawn(async move { stalled.run_due().await.is_ok() });
    let first = script(&app).await;
    first.started.notified().await;
    // No heartbeat comes for longer than the lease.
    app.clock().advance(Duration::from_secs(31));
    let rescuer = other.inject::<Worker>().await;
    assert_eq!(rescuer.rescue().await.ok(), Some(1));
    let second = script(&other).await;
    let running = tokio::spawn({
        let other = other.clone();
        async move { run_due(&other).await }
    });
    second.started.notified().await;
    // The first one ends while the second one runs.
    first.release.notify_one();
    assert!(stalled.await.unwrap());
    assert_eq!(
        app.count("effects").await,
        0,
        "it committed without its lease"
    );
    assert_eq!(status(&app, id).await, JobStatus::Running);
    second.release.notify_one();
    assert_eq!(running.await.unwrap(), 1);
    assert_eq!(status(&app, id).await, JobStatus::Done);
    assert_eq!(app.count("effects").await, 1);
}

#[doyen_test::test]
async fn a_job_that_kills_its_workers_is_dead_in_the_end(app: Idle) {
    let new = doyen::domain::NewJob::new(Stubborn {}).max_attempts(2);
    let id = enqueue(&app, new).await;
    for attempt in 1..=2 {
        let worker = app.inject::<Worker>().await;
        let killed = tokio::spawn(async move { worker.run_due().await.is_ok() });
        script(&app).await.started.notified().await;
        killed.abort();
        let _ = killed.await;
        let other = app.another(Idle::setup()).await;
        app.clock().advance(Duration::from_secs(31));
        let rescuer = other.inject::<Worker>().await;
        assert_eq!(rescuer.rescue().await.ok(), Some(1), "attempt {attempt}");
    }
    let dead = job(&app, id).await;
    assert_eq!((dead.status, dead.attempts), (JobStatus::Failed, 2));
    assert!(dead.error.unwrap().contains("died"));
}
