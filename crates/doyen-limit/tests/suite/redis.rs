//! In Redis: the one at `DOYEN_TEST_REDIS_URL`, by default `redis://127.0.0.1:6379`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::limit::Limiter;
use doyen_core::{DAY, HOUR, SystemClock, per_user};
use doyen_limit::{Local, Shared};
use redis::aio::ConnectionManager;

use crate::kit::{ask, plan};
use crate::limiter;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The name of an application that nobody else has.
fn own() -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_nanos();
    format!(
        "test-{}-{}-{now}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

async fn connection() -> ConnectionManager {
    let url = std::env::var("DOYEN_TEST_REDIS_URL")
        .unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let client = redis::Client::open(url).unwrap();
    ConnectionManager::new(client).await.unwrap()
}

async fn shared(application: &str) -> Arc<Shared> {
    let local = Arc::new(Local::new(Arc::new(SystemClock), 1000));
    Arc::new(Shared::new(connection().await, application, local))
}

#[tokio::test]
async fn it_counts_down() {
    limiter::counts_down(shared(&own()).await, "GET /a").await;
}

#[tokio::test]
async fn it_charges_all_or_none() {
    limiter::charges_all_or_none(shared(&own()).await, "GET /a").await;
}

#[tokio::test]
async fn it_counts_costs() {
    limiter::counts_costs(shared(&own()).await, "GET /a").await;
}

/// Two nodes, each with a connection of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_are_exact_together() {
    let name = own();
    let nodes: Vec<Arc<dyn Limiter>> = vec![shared(&name).await, shared(&name).await];
    limiter::is_exact(nodes, "GET /a").await;
}

/// Nothing of what a caller says stands in a key, and every key ends by itself.
#[tokio::test]
async fn keys_are_hashes_that_expire() {
    let name = own();
    let limiter = shared(&name).await;
    ask(
        &*limiter,
        &plan("GET /a", per_user(5, HOUR)),
        "ada*?[]\r\n{x}:",
    )
    .await;
    ask(&*limiter, &plan("GET /a", per_user(5, HOUR)), "ada").await;
    let mut redis = connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("doyen:{{{name}}}:*"))
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let hash = key
            .strip_prefix(&format!("doyen:{{{name}}}:limit:"))
            .unwrap();
        assert!(
            hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{key}"
        );
        let lives: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut redis)
            .await
            .unwrap();
        assert!((1..=720_002).contains(&lives), "{lives}");
    }
}

#[tokio::test]
async fn another_application_is_apart() {
    let plan = plan("GET /a", per_user(1, DAY));
    assert!(ask(&*shared(&own()).await, &plan, "ada").await.allowed);
    assert!(ask(&*shared(&own()).await, &plan, "ada").await.allowed);
}
