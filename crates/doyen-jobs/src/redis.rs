//! The dispatch of jobs by Redis: one list for all queues of an application.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doyen_app::{Redis, Shutdown};
use doyen_core::Unexpected;
use doyen_data::Database;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd, pipe};
use tokio::sync::{Notify, mpsc};

use crate::store::CHANNEL;

/// Maximum number of tokens in Redis. Workers look for further jobs after each one anyway.
const MAX_TOKENS: usize = 1000;
/// How long a worker waits for a token in one command.
const BLOCK_SECONDS: u64 = 1;
/// Maximum time for its response: a Redis that is paused is noticed within it.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// Pause before the next attempt to connect.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Tokens for new jobs.
pub(crate) struct RedisDispatch {
    redis: Redis,
    key: String,
    database: Database,
    /// Jobs that are committed and not announced yet.
    committed: AtomicUsize,
    wake: Notify,
}

impl RedisDispatch {
    pub(crate) fn new(redis: Redis, application: &str, database: Database) -> Self {
        Self {
            redis,
            key: format!("doyen:{application}:jobs"),
            database,
            committed: AtomicUsize::new(0),
            wake: Notify::new(),
        }
    }

    /// Counts a committed job. It does not wait for Redis.
    pub(crate) fn announce(&self) {
        self.committed.fetch_add(1, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Sends tokens until the application stops.
    pub(crate) async fn send_all(&self, shutdown: &Shutdown) -> Result<(), Unexpected> {
        loop {
            let is_last = tokio::select! {
                () = self.wake.notified() => false,
                () = shutdown.requested() => true,
            };
            let count = self.committed.swap(0, Ordering::Relaxed).min(MAX_TOKENS);
            if count > 0 && !self.send(count).await {
                self.database.wake(CHANNEL);
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Returns false if Redis has not confirmed the tokens in time.
    async fn send(&self, count: usize) -> bool {
        let mut connection = self.redis.connection();
        let mut pipe = pipe();
        pipe.cmd("LPUSH")
            .arg(&self.key)
            .arg(vec![1; count])
            .ignore();
        let last = MAX_TOKENS.saturating_sub(1);
        pipe.cmd("LTRIM").arg(&self.key).arg(0).arg(last).ignore();
        let sent = pipe.query_async::<()>(&mut connection);
        match tokio::time::timeout(self.redis.timeout(), sent).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::debug!(target: "jobs", %error, "Redis dispatches no jobs: workers poll");
                false
            }
            Err(_) => false,
        }
    }

    /// Takes tokens in a task, one at a time: a worker that is full leaves them to others.
    pub(crate) fn subscribe(self: Arc<Self>) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            while !sender.is_closed() {
                if let Err(error) = self.take_all(&sender).await {
                    tracing::debug!(target: "jobs", error, "no tokens of Redis: this worker polls");
                }
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        });
        receiver
    }

    async fn take_all(&self, sender: &mpsc::Sender<()>) -> Result<(), String> {
        let mut connection = self.redis.connect(RESPONSE_TIMEOUT).await?;
        while let Ok(place) = sender.reserve().await {
            let taken = self.take(&mut connection).await;
            if taken.map_err(|error| error.to_string())? {
                place.send(());
            }
        }
        Ok(())
    }

    /// Waits for a token. Returns false if there is none within the time of the command.
    async fn take(&self, connection: &mut MultiplexedConnection) -> RedisResult<bool> {
        let mut take = cmd("BRPOP");
        take.arg(&self.key).arg(BLOCK_SECONDS);
        let taken: Option<(String, String)> = take.query_async(connection).await?;
        Ok(taken.is_some())
    }
}
