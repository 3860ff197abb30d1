//! The application under test: jobs that count, fail, wait and step, and a route that enqueues.

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doyen::data::{Migration, Migrations};
use doyen::domain::{JobId, JobInfo, JobStatus, Progress, sync};
use doyen::jobs::Worker;
use doyen::prelude::*;
use doyen_test::{Setup, Subject, TestApp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A wait that must end long before.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// What the jobs of a test do, and what they did.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Attempts that fail before one succeeds.
    pub(crate) failures: AtomicU32,
    /// Names of the effects, in the order of their attempts.
    order: Mutex<Vec<String>>,
    /// A waiting job has started.
    pub(crate) started: Notify,
    /// Lets a waiting job end.
    pub(crate) release: Notify,
}

impl Script {
    pub(crate) fn order(&self) -> Vec<String> {
        sync::lock(&self.order).clone()
    }
}

/// Adds a row to `effects`, in the Session of the job.
#[derive(Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) name: String,
}

impl Job for Effect {
    const NAME: &'static str = "test.effect";
    type Needs = (Session, Arc<Script>);
    type Output = String;

    async fn run(self, (session, script): Self::Needs, _: JobRun) -> Result<String, JobError> {
        let sql = "INSERT INTO effects (name) VALUES ($1)";
        session
            .execute_sql(sql, [self.name.as_str().into()])
            .await?;
        sync::lock(&script.order).push(self.name.clone());
        let failures = &script.failures;
        let left = failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(_) => Err(Unexpected::new("on purpose").into()),
            Err(_) => Ok(format!("did {}", self.name)),
        }
    }
}

/// Ends as its payload says.
#[derive(Serialize, Deserialize)]
pub(crate) enum Ending {
    Permanent,
    RetryIn(u64),
    Panic,
    Large,
}

impl Job for Ending {
    const NAME: &'static str = "test.ending";
    const MAX_ATTEMPTS: u32 = 3;
    type Needs = ();
    type Output = String;

    async fn run(self, (): (), _: JobRun) -> Result<String, JobError> {
        match self {
            Ending::Permanent => Err(JobError::permanent("no such mailbox")),
            Ending::RetryIn(pause) => Err(JobError::retry_in(secs(pause), "busy")),
            Ending::Panic => panic!("on purpose"),
            Ending::Large => Ok("x".repeat(100 << 10)),
        }
    }
}

/// Commits steps, and waits in the middle of one until it is released or asked to end.
#[derive(Serialize, Deserialize)]
pub(crate) struct Steps {
    pub(crate) steps: u64,
    pub(crate) wait_at: u64,
}

impl Job for Steps {
    const NAME: &'static str = "test.steps";
    const QUEUE: &'static str = "slow";
    type Needs = Arc<Script>;
    type Output = ();

    async fn run(self, script: Arc<Script>, job: JobRun) -> Result<(), JobError> {
        for step in job.progress().done..self.steps {
            if step == self.wait_at && job.attempt() == 1 {
                script.started.notify_one();
                tokio::select! {
                    () = script.release.notified() => {}
                    () = job.cancelled() => {}
                }
            }
            let progress = Progress {
                done: step + 1,
                total: self.steps,
            };
            job.step(progress, async move |session: Session| {
                let sql = "INSERT INTO effects (name) VALUES ($1)";
                session
                    .execute_sql(sql, [format!("step {step}").into()])
                    .await?;
                Ok(())
            })
            .await?;
        }
        Ok(())
    }
}

/// Writes, then ignores that it should end.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stubborn {}

impl Job for Stubborn {
    const NAME: &'static str = "test.stubborn";
    const QUEUE: &'static str = "slow";
    type Needs = (Session, Arc<Script>);
    type Output = ();

    async fn run(self, (session, script): Self::Needs, _: JobRun) -> Result<(), JobError> {
        script.started.notify_one();
        script.release.notified().await;
        session
            .execute_sql("INSERT INTO effects (name) VALUES ('stubborn')", [])
            .await?;
        Ok(())
    }
}

/// What an order of the route does.
#[derive(Input)]
pub(crate) struct Order {
    /// Its name.
    name: String,
    /// Fails after the job was enqueued.
    fail: bool,
}

/// Place an order
#[post("/orders", allow = anyone)]
async fn place(jobs: Jobs, Json(order): Json<Order>) -> Result<NoContent, Unexpected> {
    jobs.enqueue(Effect { name: order.name }).await?;
    match order.fail {
        true => Err(Unexpected::new("after the job was enqueued")),
        false => Ok(NoContent),
    }
}

const TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (name text NOT NULL) STRICT;",
        down: "DROP TABLE effects;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "effects",
        up: "CREATE TABLE effects (name text NOT NULL);",
        down: "DROP TABLE effects;",
    }],
};

pub(crate) fn module() -> Module {
    Module::new("orders")
        .routes(routes![place])
        .provide(Arc::new(Script::default()))
        .job::<Effect>()
        .job::<Ending>()
        .job::<Steps>()
        .job::<Stubborn>()
        .job::<crate::killed::Announced>()
}

/// Nothing runs by itself: a test calls [`Idle::run_due`] and moves the clock.
pub(crate) struct Idle(TestApp);

/// The worker runs.
pub(crate) struct Working(TestApp);

impl Subject for Idle {
    fn app() -> App {
        // The plugin `files` has a schedule of its own.
        App::new("jobs")
            .migrations(TABLES)
            .without("files")
            .module(module())
    }
    fn setup() -> Setup {
        Setup::new().set("jobs.work", "false")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Subject for Working {
    fn app() -> App {
        Idle::app()
    }
    fn setup() -> Setup {
        Setup::new().set("jobs.poll_interval", "50ms")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Idle {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Deref for Working {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

impl Idle {
    /// Runs what is due, and returns the number of attempts.
    pub(crate) async fn run_due(&self) -> usize {
        run_due(&self.0).await
    }
}

pub(crate) async fn run_due(app: &TestApp) -> usize {
    let worker = app.inject::<Worker>().await;
    worker
        .run_due()
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()))
}

pub(crate) async fn enqueue(app: &TestApp, job: impl Into<NewJob>) -> JobId {
    let jobs = app.inject::<Jobs>().await;
    jobs.enqueue_now(job)
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()))
}

pub(crate) async fn job(app: &TestApp, id: JobId) -> JobInfo {
    let jobs = app.inject::<Jobs>().await;
    let found = jobs
        .find(id)
        .await
        .unwrap_or_else(|error| panic!("{}", error.error()));
    found.expect("the job exists")
}

pub(crate) async fn status(app: &TestApp, id: JobId) -> JobStatus {
    job(app, id).await.status
}

/// Waits until a job has this status.
pub(crate) async fn until(app: &TestApp, id: JobId, wanted: JobStatus) {
    let reached = async {
        while status(app, id).await != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(HANG, reached).await.is_err() {
        panic!("{wanted:?} was not reached: {:?}", job(app, id).await);
    }
}

pub(crate) async fn script(app: &TestApp) -> Arc<Script> {
    app.inject::<Arc<Script>>().await
}

pub(crate) fn effect(name: &str) -> Effect {
    Effect {
        name: name.to_owned(),
    }
}
