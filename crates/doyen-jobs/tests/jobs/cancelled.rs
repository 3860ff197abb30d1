//! Cancellation of waiting and running jobs.

use doyen::domain::JobStatus;
use doyen_test::{Subject, TestApp};

use crate::kit::{Idle, Steps, Stubborn, Working, effect, enqueue, job, script, status, until};

async fn cancel(app: &TestApp, id: doyen::domain::JobId) {
    crate::commands::run(app, "jobs cancel", &[&id.to_string(), "false"])
        .await
        .unwrap();
}

#[doyen_test::test]
async fn a_waiting_job_ends_at_once(app: Idle) {
    let id = enqueue(&app, effect("tea")).await;
    cancel(&app, id).await;
    assert_eq!(status(&app, id).await, JobStatus::Cancelled);
    assert_eq!(app.run_due().await, 0);
}

#[doyen_test::test]
async fn a_running_job_hears_of_it_and_keeps_its_committed_steps(app: Working) {
    let script = script(&app).await;
    let id = enqueue(
        &app,
        Steps {
            steps: 4,
            wait_at: 2,
        },
    )
    .await;
    script.started.notified().await;
    let running = job(&app, id).await;
    assert_eq!(running.status, JobStatus::Running);
    assert_eq!((running.progress.done, running.progress.total), (2, 4));
    cancel(&app, id).await;
    until(&app, id, JobStatus::Cancelled).await;
    assert_eq!(app.count("effects").await, 2);
}

/// With a short grace.
struct Impatient(TestApp);

impl Subject for Impatient {
    fn app() -> doyen::App {
        Working::app()
    }
    fn setup() -> doyen_test::Setup {
        Working::setup().set("jobs.cancel_grace", "10ms")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn a_job_that_does_not_listen_is_rolled_back(app: Impatient) {
    let app = &app.0;
    let script = script(app).await;
    let id = enqueue(app, Stubborn {}).await;
    script.started.notified().await;
    cancel(app, id).await;
    until(app, id, JobStatus::Cancelled).await;
    script.release.notify_waiters();
    assert_eq!(app.count("effects").await, 0);
}
