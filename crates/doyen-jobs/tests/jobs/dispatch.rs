//! `jobs.dispatch = redis`: tokens wake workers, and jobs do not depend on them.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use doyen::domain::JobStatus;
use doyen::settings::Loader;
use doyen_test::{RedisServer, SIGNING_KEY, Setup, Subject as _, TestApp};

use crate::kit::{HANG, Idle, effect, enqueue, until};

const URL: &str = "DOYEN_DISPATCH_TEST_CHILD";
const REDIS: &str = "DOYEN_DISPATCH_TEST_REDIS";
const POLL: &str = "DOYEN_DISPATCH_TEST_POLL";

/// The worker process: this program, with variables that make it work until its end. Without the
/// variables the test is empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let loader = Loader::new("APP").env([
        ("DATABASE_URL", &*url),
        ("REDIS_URL", &*variable(REDIS)),
        ("APP_ENV", "test"),
        ("APP_AUTH__SIGNING_KEY", SIGNING_KEY),
        ("APP_JOBS__DISPATCH", "redis"),
        ("APP_JOBS__POLL_INTERVAL", &*variable(POLL)),
        ("APP_JOBS__LEASE", "60s"),
        ("APP_DATABASE__SYNCHRONOUS", "normal"),
    ]);
    let app = Idle::app().start(loader, doyen::Overrides::default()).await;
    let _app = app.unwrap_or_else(|error| panic!("{error}"));
    std::future::pending::<()>().await;
}

/// A worker process. Killed when dropped.
struct WorkerProcess(Child);

impl WorkerProcess {
    fn start(app: &TestApp, redis: &RedisServer, poll: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "dispatch::child", "--nocapture"])
            .env(URL, app.database_url())
            .env(REDIS, redis.url())
            .env(POLL, poll)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn setup(redis: &RedisServer) -> Setup {
    Idle::setup()
        .set("redis.url", &redis.url())
        .set("jobs.dispatch", "redis")
}

/// Runs a command on Redis.
async fn redis<T: redis::FromRedisValue>(server: &RedisServer, command: &[&str]) -> T {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut call = redis::cmd(command[0]);
    command[1..].iter().for_each(|word| {
        call.arg(*word);
    });
    call.query_async(&mut connection).await.unwrap()
}

/// Returns the number of tokens that no worker has taken.
async fn tokens(server: &RedisServer) -> usize {
    let keys: Vec<String> = redis(server, &["KEYS", "doyen:*:jobs"]).await;
    match keys.first() {
        Some(key) => redis(server, &["LLEN", key]).await,
        None => 0,
    }
}

async fn has_tokens(server: &RedisServer, count: usize) {
    let reached = async {
        while tokens(server).await != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let reached = tokio::time::timeout(HANG, reached).await;
    assert!(reached.is_ok(), "there were never {count} tokens");
}

/// Enqueues jobs and waits until each is done.
async fn run(app: &TestApp, name: &str, count: usize) {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(enqueue(app, effect(&format!("{name} {n}"))).await);
    }
    for id in ids {
        until(app, id, JobStatus::Done).await;
    }
}

#[doyen_test::test]
async fn a_token_wakes_a_worker_process(app: Idle) {
    let server = RedisServer::start();
    let app = app.another(setup(&server)).await;
    let mut waiting = Vec::new();
    for n in 0..3 {
        waiting.push(enqueue(&app, effect(&format!("waiting {n}"))).await);
    }
    has_tokens(&server, 3).await;
    let _workers = [(); 2].map(|()| WorkerProcess::start(&app, &server, "10s"));
    for id in waiting {
        until(&app, id, JobStatus::Done).await;
    }
    // By polling alone, these would take minutes.
    let one_by_one = async {
        for n in 0..40 {
            run(&app, &format!("single {n}"), 1).await;
        }
    };
    let done = tokio::time::timeout(HANG, one_by_one).await;
    assert!(done.is_ok(), "no token has woken a worker");
    has_tokens(&server, 0).await;
    assert_eq!(app.count("effects").await, 43);
}

#[doyen_test::test]
async fn a_rolled_back_job_has_no_token(app: Idle) {
    let server = RedisServer::start();
    let app = app.another(setup(&server)).await;
    for (name, fail) in [("tea", true), ("coffee", false)] {
        let order = serde_json::json!({"name": name, "fail": fail});
        app.post("/orders").json(&order).send().await;
    }
    has_tokens(&server, 1).await;
    assert_eq!(app.count("jobs").await, 1);
}

#[doyen_test::test]
async fn tokens_are_bounded(app: Idle) {
    let server = RedisServer::start();
    let app = app.another(setup(&server)).await;
    for n in 0..1010 {
        enqueue(&app, effect(&n.to_string())).await;
    }
    has_tokens(&server, 1000).await;
}

#[doyen_test::test]
async fn workers_poll_while_redis_is_paused_or_killed(app: Idle) {
    let mut server = RedisServer::start();
    let app = app.another(setup(&server)).await;
    let _workers = [(); 2].map(|()| WorkerProcess::start(&app, &server, "100ms"));
    run(&app, "first", 10).await;
    server.pause();
    run(&app, "paused", 10).await;
    server.resume();
    server.kill();
    run(&app, "killed", 10).await;
    server.restart();
    // Until tokens are sent and taken again.
    let mut rounds = 0;
    let again = async {
        loop {
            run(&app, &format!("again {rounds}"), 1).await;
            rounds += 1;
            let used: String = redis(&server, &["INFO", "commandstats"]).await;
            if used.contains("cmdstat_lpush") && used.contains("cmdstat_brpop") {
                break;
            }
        }
    };
    let again = tokio::time::timeout(HANG, again).await;
    assert!(again.is_ok(), "Redis was not used again");
    assert_eq!(app.count("effects").await, 30 + rounds);
    let distinct = "(SELECT DISTINCT name FROM effects) AS names";
    assert_eq!(app.count(distinct).await, 30 + rounds);
}

/// Without `redis.url` the application does not start.
#[tokio::test]
async fn the_dispatch_by_redis_needs_its_url() {
    let loader = Loader::new("APP")
        .set("database.url", "sqlite://never-opened.db")
        .set("auth.signing_key", SIGNING_KEY)
        .set("jobs.dispatch", "redis");
    let error = Idle::app().build(loader, doyen::Overrides::default());
    let error = error
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        error.contains("jobs.dispatch") && error.contains("redis.url"),
        "{error}"
    );
}
