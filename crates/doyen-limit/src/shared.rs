//! Counting in Redis, for all nodes together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use doyen_core::limit::{Charge, Decision, Limiter, MAX_CHARGES, Verdict};
use redis::Script;
use redis::aio::ConnectionManager;

use crate::Local;
use crate::gcra::{self, Reading};

/// How long after a failure, and after each question that was not answered, it is asked again.
const REST: Duration = Duration::from_secs(1);

/// How long it may take to answer that question.
const PING: Duration = Duration::from_millis(500);

/// Counts calls in Redis.
///
/// One script decides all policies of a request at once, by the clock of Redis: nodes need not agree on the time. While Redis is away each node
/// counts for itself with the same policies: no request fails for it, none waits for longer than it is told, and after the first failure none waits
/// at all until Redis answers again.
///
/// Names of buckets are hashes: what a caller says never stands in a key.
pub struct Shared(Arc<Inner>);

struct Inner {
    connection: ConnectionManager,
    script: Script,
    prefix: String,
    local: Arc<Local>,
    patience: Duration,
    away: AtomicBool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("prefix", &self.0.prefix)
            .field("away", &self.is_away())
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Counts over this connection for the application of this name, and in `local` while Redis is away. A request waits for it so long.
    pub fn new(
        connection: ConnectionManager,
        application: &str,
        local: Arc<Local>,
        patience: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            connection,
            script: Script::new(include_str!("gcra.lua")),
            // In braces, so that all buckets of an application have one slot of a cluster: a script sees no more.
            prefix: format!("doyen:{{{application}}}:limit:"),
            local,
            patience,
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
            match tokio::time::timeout(self.0.patience, self.0.ask(charges)).await {
                Ok(Ok(verdict)) => verdict,
                Ok(Err(error)) => {
                    self.0.leave(&error.to_string());
                    self.0.local.decide(charges)
                }
                Err(_) => {
                    self.0.leave("no answer in time");
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

    /// The same on every node: the space of the policy, the kind of caller, the caller.
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

    /// From now on each node counts for itself. Said once; somebody looks after Redis meanwhile.
    fn leave(self: &Arc<Self>, why: &str) {
        if self.away.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(error = why, "Redis is away: each node limits for itself");
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REST).await;
                let Some(inner) = inner.upgrade() else { return };
                let mut connection = inner.connection.clone();
                let ping = redis::cmd("PING");
                let ping = ping.query_async::<String>(&mut connection);
                if let Ok(Ok(_)) = tokio::time::timeout(PING, ping).await {
                    inner.away.store(false, Ordering::Relaxed);
                    tracing::info!("Redis is back: all nodes limit together");
                    return;
                }
            }
        });
    }
}
