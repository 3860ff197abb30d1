//! Rate limits in Redis, for all nodes together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use doyen_app::redis::RedisConnection;
use doyen_core::limit::{Charge, Decision, Limiter, MAX_CHARGES, Verdict};
use redis::Script;

use crate::Local;
use crate::gcra::{self, Reading};

/// Interval between attempts to reach Redis after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Timeout of such an attempt.
const PING_TIMEOUT: Duration = Duration::from_millis(500);

/// Counts calls in Redis.
///
/// One script decides all policies of a request at once, by the clock of Redis, so the clocks of
/// the nodes need not agree. While Redis is unavailable, each node counts for itself with the same
/// policies: no request fails. A request waits at most for the timeout, and after the first failure
/// none waits until Redis responds again.
///
/// Names of buckets are hashes, so that no text of a client is in a key.
pub struct Shared(Arc<Inner>);

struct Inner {
    connection: RedisConnection,
    script: Script,
    prefix: String,
    local: Arc<Local>,
    timeout: Duration,
    away: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("prefix", &self.0.prefix)
            .field("unavailable", &self.is_away())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Creates a limiter on this connection for the application of this name. It uses `local` while
    /// Redis is unavailable. A request waits at most for `timeout`.
    pub fn new(
        connection: impl Into<RedisConnection>,
        application: &str,
        local: Arc<Local>,
        timeout: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            connection: connection.into(),
            script: Script::new(include_str!("gcra.lua")),
            // In braces, so that all buckets of an application are in one slot of a cluster, as a
            // script requires.
            prefix: format!("doyen:{{{application}}}:limit:"),
            local,
            timeout,
            away: AtomicBool::new(false),
        }))
    }

    /// True while each node counts for itself.
    pub fn is_away(&self) -> bool {
        self.0.away.load(Ordering::Relaxed)
    }
}

impl Limiter for Shared {
    fn charge<'a>(&'a self, charges: &'a [Charge<'a>]) -> Decision<'a, Verdict> {
        if self.is_away() {
            return Decision::Now(self.0.local.decide(charges));
        }
        Decision::Later(Box::pin(async move {
            match tokio::time::timeout(self.0.timeout, self.0.ask(charges)).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(error)) => {
                    self.0.leave(&error.to_string());
                    self.0.local.decide(charges)
                }
                Err(_) => {
                    self.0.leave("no response in time");
                    self.0.local.decide(charges)
                }
            }
        }))
    }
}

impl Inner {
    async fn ask(&self, charges: &[Charge<'_>]) -> redis::RedisResult<Verdict> {
        let charges = &charges[..charges.len().min(MAX_CHARGES)];
        let mut call = self.script.prepare_invoke();
        for charge in charges {
            call.key(self.key(charge));
        }
        for charge in charges {
            let bucket = charge.bucket;
            call.arg(bucket.interval)
                .arg(bucket.tolerance)
                .arg(bucket.cost);
        }
        let answer: Vec<i64> = call.invoke_async(&mut self.connection.clone()).await?;
        if answer.len() != charges.len() * 2 {
            return Err((
                redis::ErrorKind::UnexpectedReturnType,
                "not two numbers for each bucket",
            )
                .into());
        }
        let mut readings = [Reading { level: 0, wait: 0 }; MAX_CHARGES];
        for (reading, pair) in readings.iter_mut().zip(answer.as_chunks::<2>().0) {
            *reading = Reading {
                level: pair[0],
                wait: pair[1],
            };
        }
        Ok(gcra::verdict(charges, &readings[..charges.len()]))
    }

    /// The key of a bucket, the same on every node: policy, kind of caller, caller.
    fn key(&self, charge: &Charge<'_>) -> String {
        let (kind, bytes) = charge.who.parts();
        let mut hash = digest::Context::new(&SHA256);
        hash.update(charge.bucket.space.as_bytes());
        hash.update(&[0, kind]);
        hash.update(bytes);
        let hash = hash.finish();
        let mut key = String::with_capacity(self.prefix.len() + 32);
        key.push_str(&self.prefix);
        for byte in &hash.as_ref()[..16] {
            for digit in [byte >> 4, byte & 15] {
                key.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        key
    }

    /// Switches to local counting. It is logged once, and a task watches Redis.
    fn leave(self: &Arc<Self>, why: &str) {
        if self.away.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            error = why,
            "Redis is unavailable: each node limits for itself"
        );
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(RETRY_INTERVAL).await;
                let Some(inner) = inner.upgrade() else { return };
                let mut connection = inner.connection.clone();
                let ping = redis::cmd("PING");
                let ping = ping.query_async::<String>(&mut connection);
                if let Ok(Ok(_)) = tokio::time::timeout(PING_TIMEOUT, ping).await {
                    inner.away.store(false, Ordering::Relaxed);
                    tracing::info!("Redis is available again: all nodes limit together");
                    return;
                }
            }
        });
    }
}
