//! A job exists if and only if its transaction committed, and only once per unique key.

use doyen::domain::{JobStatus, NewJob, TraceContext};
use doyen::prelude::*;
use doyen_jobs::JobsPlugin;
use doyen_test::plugin_contract;
use serde_json::json;

use crate::kit::{Idle, Working, effect, enqueue, job, until};

#[doyen_test::test]
async fn a_job_is_enqueued_with_the_request_and_applied_with_its_effect(app: Idle) {
    let order = json!({"name": "tea", "fail": false});
    app.post("/orders").json(&order).send().await.expect(204);
    let order = json!({"name": "rolled back", "fail": true});
    app.post("/orders")
        .json(&order)
        .send()
        .await
        .expect_problem(500, "internal");
    assert_eq!(app.count("jobs").await, 1);
    assert_eq!(app.run_due().await, 1);
    assert_eq!(app.count("effects").await, 1);
    assert_eq!(app.run_due().await, 0, "a job runs once");
}

#[doyen_test::test]
async fn a_waiting_worker_is_woken_and_stores_the_result(app: Working) {
    let id = enqueue(&app, effect("tea")).await;
    until(&app, id, JobStatus::Done).await;
    let done = job(&app, id).await;
    assert_eq!(done.result, Some(json!("did tea")));
    assert_eq!((done.attempts, done.error), (1, None));
    assert!(done.finished_at.is_some());
}

#[doyen_test::test]
async fn the_trace_of_the_request_is_stored(app: Idle) {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let order = json!({"name": "tea", "fail": false});
    let call = app.post("/orders").header("traceparent", trace);
    call.json(&order).send().await.expect(204);
    let same = format!("trace LIKE '00-{}%'", &trace[3..35]);
    assert_eq!(app.count(&format!("jobs WHERE {same}")).await, 1);
    assert!(TraceContext::parse(trace).is_some());
}

#[doyen_test::test]
async fn a_unique_key_admits_one_waiting_job(app: Idle) {
    let new = || NewJob::new(effect("daily")).unique("2026-11-22");
    let first = enqueue(&app, new()).await;
    assert_eq!(enqueue(&app, new()).await, first);
    let mut racing = Vec::new();
    for _ in 0..10 {
        let app = (*app).clone();
        racing.push(tokio::spawn(async move {
            enqueue(&app, NewJob::new(effect("raced")).unique("one")).await
        }));
    }
    let mut ids = Vec::new();
    for enqueued in racing {
        ids.push(enqueued.await.unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "ten writers got several jobs");
    assert_eq!(app.run_due().await, 2);
    // It is free again once the job has ended.
    assert_ne!(enqueue(&app, new()).await, first);
}

#[doyen_test::test]
async fn a_key_can_be_kept_after_the_end(app: Idle) {
    let new = || NewJob::new(effect("hourly")).unique("key").unique_for(HOUR);
    let first = enqueue(&app, new()).await;
    assert_eq!(app.run_due().await, 1);
    assert_eq!(enqueue(&app, new()).await, first);
    app.clock().advance(HOUR);
    assert_ne!(enqueue(&app, new()).await, first);
}

#[doyen_test::test]
async fn what_nothing_would_run_is_refused(app: Idle) {
    let jobs = app.inject::<Jobs>().await;
    let unknown = NewJob::new(effect("x")).queue("typo");
    let error = jobs.enqueue_now(unknown).await.unwrap_err();
    assert!(
        error.error().to_string().contains("`jobs.queues`"),
        "{}",
        error.error()
    );
    let large = effect(&"x".repeat(3 << 20));
    let error = jobs.enqueue_now(large).await.unwrap_err();
    assert!(
        error.error().to_string().contains("`jobs.max_payload`"),
        "{}",
        error.error()
    );
    assert_eq!(app.count("jobs").await, 0);
}

/// An application without jobs.
struct Empty(doyen_test::TestApp);

impl doyen_test::Subject for Empty {
    fn app() -> App {
        App::new("empty").without("jobs")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(app)
    }
}

#[doyen_test::test]
async fn the_plugin_keeps_the_contract(app: Empty) {
    // A default plugin.
    let setup = || doyen_test::Setup::new().edit(|_| App::new("empty"));
    plugin_contract::<JobsPlugin>(&app.0, setup).await;
}
