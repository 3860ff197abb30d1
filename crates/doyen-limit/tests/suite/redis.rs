//! The limiter in Redis. Each test starts its own server.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use doyen_core::limit::Limiter;
use doyen_core::{DAY, HOUR, SystemClock, per_user};
use doyen_limit::{Local, Shared};
use redis::aio::ConnectionManager;

use crate::kit::{ask, plan};
use crate::limiter;

/// A Redis server for one test, killed at its end.
struct Own {
    child: Child,
    url: String,
}

impl Own {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed by `cargo xtask setup`");
        let own = Self {
            child,
            url: format!("redis://127.0.0.1:{port}"),
        };
        // Try again until the server listens.
        own.connection().await;
        own
    }

    async fn connection(&self) -> ConnectionManager {
        let client = redis::Client::open(&*self.url).unwrap();
        ConnectionManager::new(client).await.unwrap()
    }

    async fn limiter(&self, application: &str) -> Arc<Shared> {
        let local = Arc::new(Local::new(Arc::new(SystemClock), 1000));
        let timeout = Duration::from_secs(10);
        let connection = self.connection().await;
        Arc::new(Shared::new(connection, application, local, timeout))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_counts_down() {
    let redis = Own::start().await;
    limiter::counts_down(redis.limiter("shop").await, "GET /a").await;
}

#[tokio::test]
async fn it_charges_all_or_none() {
    let redis = Own::start().await;
    limiter::charges_all_or_none(redis.limiter("shop").await, "GET /a").await;
}

#[tokio::test]
async fn it_counts_costs() {
    let redis = Own::start().await;
    limiter::counts_costs(redis.limiter("shop").await, "GET /a").await;
}

/// Two nodes, each with its own connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_are_exact_together() {
    let redis = Own::start().await;
    let nodes: Vec<Arc<dyn Limiter>> =
        vec![redis.limiter("shop").await, redis.limiter("shop").await];
    limiter::is_exact(nodes, "GET /a").await;
}

/// No text of a client is in a key, and every key expires.
#[tokio::test]
async fn keys_are_hashes_that_expire() {
    let redis = Own::start().await;
    let limiter = redis.limiter("shop").await;
    ask(
        &*limiter,
        &plan("GET /a", per_user(5, HOUR)),
        "ada*?[]\r\n{x}:",
    )
    .await;
    ask(&*limiter, &plan("GET /a", per_user(5, HOUR)), "ada").await;
    let mut connection = redis.connection().await;
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg("doyen:{shop}:*")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        let hash = key.strip_prefix("doyen:{shop}:limit:").unwrap();
        assert!(
            hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{key}"
        );
        let lives: i64 = redis::cmd("PTTL")
            .arg(&key)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!((1..=720_002).contains(&lives), "{lives}");
    }
}

#[tokio::test]
async fn another_application_is_apart() {
    let redis = Own::start().await;
    let plan = plan("GET /a", per_user(1, DAY));
    assert!(
        ask(&*redis.limiter("one").await, &plan, "ada")
            .await
            .allowed
    );
    assert!(
        ask(&*redis.limiter("other").await, &plan, "ada")
            .await
            .allowed
    );
}
