//! Counts of failures, and how long each makes one wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use doyen_core::{DAY, Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, DbBackend, FromQueryResult, Value};
use doyen_data::{Row, Session};

use super::places::KNOWN_FOR;

/// After this time without a failure a count is gone.
const KEPT: Duration = DAY;
/// How many counts are kept at most; the oldest go first.
const MOST: u32 = 1_000_000;
/// Old counts are looked for once in so many tries.
const PRUNE_EVERY: u32 = 64;

static TRIES: AtomicU32 = AtomicU32::new(0);

/// How failures become time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// So many cost nothing.
    pub(super) free: i64,
    /// What the next one costs; each further one costs twice as much.
    pub(super) first: Duration,
    /// What one costs at most.
    pub(super) longest: Duration,
    /// One failure is forgotten each time this has passed.
    pub(super) forget: Duration,
    /// Many people are counted here: one who succeeds does not forgive the others.
    pub(super) shared: bool,
}

impl Rule {
    /// How long to wait after so many failures.
    fn wait(&self, failures: i64) -> Duration {
        let over = failures - self.free;
        if over <= 0 {
            return Duration::ZERO;
        }
        // Thirty doublings of a second are more than anybody waits.
        let doublings = u32::try_from(over - 1).unwrap_or(u32::MAX).min(30);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }

    /// What is left of so many failures after this time.
    fn left(&self, failures: i64, passed: Duration) -> i64 {
        let forgotten = passed.as_micros() / self.forget.as_micros().max(1);
        failures
            .saturating_sub(i64::try_from(forgotten).unwrap_or(i64::MAX))
            .max(0)
    }
}

/// One count.
pub(super) struct Bucket {
    key: [u8; 32],
    rule: Rule,
}

impl Bucket {
    pub(super) const fn new(key: [u8; 32], rule: Rule) -> Self {
        Self { key, rule }
    }
}

/// A failure that was counted.
pub(super) struct Counted {
    key: [u8; 32],
    shared: bool,
    /// The wait that it brought, to take it back and no other.
    until: Timestamp,
}

/// The key of a count. The words are told apart by their lengths.
pub(super) fn key(secret: &[u8; 32], kind: &str, words: &[&str]) -> [u8; 32] {
    let mut text = kind.to_owned();
    for word in words {
        text.push_str(&format!("\0{}\0{word}", word.len()));
    }
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(tag.as_ref());
    key
}

#[derive(FromQueryResult, Row)]
struct Count {
    key: Vec<u8>,
    failures: i64,
    at: DateTimeUtc,
    until: DateTimeUtc,
}

fn time(at: Timestamp) -> Value {
    DateTimeUtc::from(at).into()
}

/// Counts a failure in each of them; or in none, when one of them is to wait, and gives the time until when.
pub(super) async fn count(
    work: &Session,
    mut buckets: Vec<Bucket>,
    now: Timestamp,
) -> Result<Result<Vec<Counted>, Timestamp>, Unexpected> {
    // Always in one order: two that count the same never wait for each other.
    buckets.sort_by_key(|bucket| bucket.key);
    for bucket in &buckets {
        let sql = "INSERT INTO auth_failures (key, failures, at, until) VALUES ($1, 0, $2, $3) ON CONFLICT (key) DO NOTHING";
        let parameters = [bucket.key.to_vec().into(), time(now), time(now)];
        work.execute_sql(sql, parameters).await?;
    }
    let places: Vec<String> = (1..=buckets.len()).map(|at| format!("${at}")).collect();
    // On SQLite there is one writer, who is us.
    let lock = match work.backend() {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    };
    let sql = format!(
        "SELECT key, failures, at, until FROM auth_failures WHERE key IN ({}) ORDER BY key{lock}",
        places.join(", ")
    );
    let keys = buckets.iter().map(|bucket| bucket.key.to_vec().into());
    let rows: Vec<Count> = work.query_as(&sql, keys).await?;
    let counts: HashMap<Vec<u8>, Count> =
        rows.into_iter().map(|row| (row.key.clone(), row)).collect();
    let waits = counts.values().map(|count| Timestamp::from(count.until));
    if let Some(until) = waits.max().filter(|until| *until > now) {
        return Ok(Err(until));
    }
    let mut counted = Vec::with_capacity(buckets.len());
    for Bucket { key, rule } in buckets {
        let Some(count) = counts.get(key.as_slice()) else {
            return Err(Unexpected::new("a count of failures is gone"));
        };
        let failures = rule.left(count.failures, now.since(count.at.into())) + 1;
        let until = now + rule.wait(failures);
        let sql = "UPDATE auth_failures SET failures = $1, at = $2, until = $3 WHERE key = $4";
        let parameters = [failures.into(), time(now), time(until), key.to_vec().into()];
        work.execute_sql(sql, parameters).await?;
        counted.push(Counted {
            key,
            shared: rule.shared,
            until,
        });
    }
    Ok(Ok(counted))
}

impl Counted {
    /// The try was right: the failures before it were its owner's, or are not feared any more.
    pub(super) async fn right(&self, work: &Session, now: Timestamp) -> Result<(), Unexpected> {
        if self.shared {
            return self.take_back(work, now).await;
        }
        let sql = "DELETE FROM auth_failures WHERE key = $1";
        work.execute_sql(sql, [self.key.to_vec().into()]).await?;
        Ok(())
    }

    /// Takes this one failure back, and the wait it brought unless another failure has brought a longer one.
    pub(super) async fn take_back(&self, work: &Session, now: Timestamp) -> Result<(), Unexpected> {
        let sql = "UPDATE auth_failures SET failures = failures - 1, until = CASE WHEN until = $1 THEN $2 ELSE until END \
                   WHERE key = $3 AND failures > 0";
        let parameters = [time(self.until), time(now), self.key.to_vec().into()];
        work.execute_sql(sql, parameters).await?;
        Ok(())
    }
}

/// True once in so many tries: time to look for what is old.
pub(super) fn prune_is_due() -> bool {
    TRIES
        .fetch_add(1, Ordering::Relaxed)
        .is_multiple_of(PRUNE_EVERY)
}

/// Forgets what is old and what is too much, in a unit of work that does nothing else.
pub(super) async fn prune(work: &Session, now: Timestamp) -> Result<(), Unexpected> {
    // Who counts right now holds a row, and is left alone: it is not old any more.
    let skip = match work.backend() {
        DbBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let sql = format!(
        "DELETE FROM auth_failures WHERE key IN (SELECT key FROM auth_failures WHERE at < $1{skip})"
    );
    work.execute_sql(&sql, [time(now - KEPT)]).await?;
    let sql = format!(
        "DELETE FROM auth_failures WHERE key IN (SELECT key FROM auth_failures \
         WHERE at < (SELECT at FROM auth_failures ORDER BY at DESC LIMIT 1 OFFSET {MOST}){skip})"
    );
    work.execute_sql(&sql, []).await?;
    let sql = format!(
        "DELETE FROM auth_places WHERE key IN (SELECT key FROM auth_places WHERE seen_at < $1{skip})"
    );
    work.execute_sql(&sql, [time(now - KNOWN_FOR)]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use doyen_core::{MINUTE, secs};

    use super::*;

    const RULE: Rule = Rule {
        free: 5,
        first: secs(1),
        longest: secs(900),
        forget: MINUTE,
        shared: false,
    };

    #[test]
    fn a_few_are_free_and_then_each_costs_twice_as_much() {
        let waits: Vec<u64> = (0..20).map(|n| RULE.wait(n).as_secs()).collect();
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900
            ]
        );
        assert_eq!(RULE.wait(i64::MAX), secs(900));
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        assert_eq!(RULE.left(3, secs(59)), 3);
        assert_eq!(RULE.left(3, secs(60)), 2);
        assert_eq!(RULE.left(3, DAY), 0);
    }

    #[test]
    fn keys_of_different_words_differ() {
        let secret = [7; 32];
        assert_ne!(key(&secret, "a", &["b", "c"]), key(&secret, "a", &["bc"]));
        assert_ne!(key(&secret, "a", &["b", ""]), key(&secret, "a", &["", "b"]));
        assert_ne!(key(&secret, "a", &["b"]), key(&[8; 32], "a", &["b"]));
        assert_ne!(
            key(&secret, "place", &["b"]),
            key(&secret, "account", &["b"])
        );
    }
}
