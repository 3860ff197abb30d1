//! An application with one table, and loads that a test controls.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen::App;
use doyen::cache::{CacheEntry, CacheStats, Engine};
use doyen::data::{Migration, Migrations};
use doyen::prelude::*;
use doyen_test::{RedisServer, Setup, Subject, TestApp};

/// Maximum time for something that another task or node does in the background.
const TIMEOUT: Duration = Duration::from_secs(60);

const THINGS: Migration = Migration {
    version: 1,
    name: "things",
    up: "CREATE TABLE things (id integer PRIMARY KEY NOT NULL, name text NOT NULL);",
    down: "DROP TABLE things;",
};

/// The application.
pub(crate) struct Cached(TestApp);

impl Subject for Cached {
    fn app() -> App {
        App::new("cached").migrations(Migrations {
            folder: None,
            sqlite: &[THINGS],
            postgres: &[THINGS],
        })
    }
    fn setup() -> Setup {
        setup()
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for Cached {
    type Target = TestApp;
    fn deref(&self) -> &TestApp {
        &self.0
    }
}

fn setup() -> Setup {
    Setup::new()
        .set("database.acquire_timeout", "30s")
        .set("database.lock_timeout", "30s")
        .set("database.statement_timeout", "30s")
        .set("cache.max_bytes", "1 MB")
        .set("cache.max_entry_bytes", "10 kB")
        .set("cache.load_timeout", "60s")
}

/// The setup of a node with this Redis. Tests check results, so a busy machine must not fail them.
pub(crate) fn with_redis(redis: &RedisServer) -> Setup {
    setup()
        .set("redis.url", &redis.url())
        .set("redis.timeout", "10s")
}

/// One that gives up on Redis soon.
pub(crate) fn impatient(redis: &RedisServer) -> Setup {
    with_redis(redis).set("redis.timeout", "50ms")
}

/// The cache of a node.
pub(crate) struct Node {
    pub(crate) app: TestApp,
    pub(crate) cache: Cache,
    engine: Arc<Engine>,
}

impl Node {
    pub(crate) async fn of(app: &TestApp) -> Self {
        Self {
            app: app.clone(),
            cache: app.inject().await,
            engine: app.inject().await,
        }
    }

    /// Another node. It is ready once it follows the other nodes.
    pub(crate) async fn another(app: &TestApp, setup: Setup) -> Self {
        let node = Self::of(&app.another(setup).await).await;
        until("the node follows", || node.stats().resets > 0).await;
        node
    }

    pub(crate) fn stats(&self) -> CacheStats {
        self.engine.stats()
    }

    pub(crate) fn entry(&self, policy: &CachePolicy) -> CacheEntry {
        self.cache.shared().entry(policy, "x").tag("things")
    }
}

/// Loads that are counted, and wait until the test lets them end.
#[derive(Clone)]
pub(crate) struct Loads {
    count: Arc<AtomicUsize>,
    gate: Arc<tokio::sync::Semaphore>,
}

impl Loads {
    /// Loads that end at once.
    pub(crate) fn open() -> Self {
        Self {
            count: Arc::default(),
            gate: Arc::new(tokio::sync::Semaphore::new(1_000_000)),
        }
    }

    /// Loads that wait for [`Loads::release`].
    pub(crate) fn held() -> Self {
        Self {
            count: Arc::default(),
            gate: Arc::new(tokio::sync::Semaphore::new(0)),
        }
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(1_000_000);
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Loads this value.
    pub(crate) async fn load<T>(&self, value: T) -> Result<T, Unexpected> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let _permit = self.gate.acquire().await?;
        Ok(value)
    }

    /// Reads a number, and loads `value` if needed.
    pub(crate) async fn read(&self, entry: CacheEntry, value: u32) -> u32 {
        let read = entry.get_or_load(|| self.load(value)).await;
        read.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// The same in a task.
    pub(crate) fn reading(&self, entry: CacheEntry, value: u32) -> tokio::task::JoinHandle<u32> {
        let loads = self.clone();
        tokio::spawn(async move { loads.read(entry, value).await })
    }
}

/// Waits for something that happens in the background.
pub(crate) async fn until(what: &str, mut is: impl FnMut() -> bool) {
    until_async(what, async || is()).await;
}

/// The same with a check that waits itself.
pub(crate) async fn until_async(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is().await {
        assert!(started.elapsed() < TIMEOUT, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
