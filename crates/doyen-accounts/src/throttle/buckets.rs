//! Counts of failures, and how long each makes one wait.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use doyen_core::{Clock, DAY, MINUTE, Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, DbBackend, FromQueryResult, Value};
use doyen_data::{Row, Session};

use super::places::KNOWN_FOR;

/// After this time without a failure a count is gone.
const KEPT: Duration = DAY;
/// An attempt without an outcome for this long is a failure: its process has ended. Longer than any
/// request takes.
const LEASE: Duration = MINUTE;
/// The end of a wait that there is none of. Not the present time: another node's clock may be
/// behind.
fn never() -> Timestamp {
    Timestamp::from_micros(0)
}

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
#[derive(Clone)]
pub(super) struct Bucket {
    key: [u8; 32],
    rule: Rule,
}

impl Bucket {
    pub(super) const fn new(key: [u8; 32], rule: Rule) -> Self {
        Self { key, rule }
    }
}

/// An attempt as one bucket counts it.
pub(super) struct Counted {
    key: [u8; 32],
    rule: Rule,
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
    failures: i64,
    at: DateTimeUtc,
    until: DateTimeUtc,
    pending: i64,
    pending_at: Option<DateTimeUtc>,
}

/// Whether an attempt may be checked.
pub(super) enum Admission {
    /// It is counted as pending in every bucket.
    Admitted(Vec<Counted>),
    /// Its outcome depends on attempts that are being checked. Nothing was counted.
    Pending,
    /// It has to wait for this long. Nothing was counted.
    Throttled(Duration),
}

impl Count {
    /// An attempt whose process ended has no outcome: it is a failure once its lease is over.
    fn expire(&mut self, now: Timestamp) {
        let lease_is_over = |at: DateTimeUtc| now.since(at.into()) >= LEASE;
        if self.pending > 0 && self.pending_at.is_none_or(lease_is_over) {
            self.failures += self.pending;
            self.at = now.into();
            self.pending = 0;
        }
    }

    fn left(&self, rule: &Rule, now: Timestamp) -> i64 {
        rule.left(self.failures, now.since(self.at.into()))
    }

    /// Locks a row until the end of the unit of work, and creates it if there is none. One
    /// statement: between two, another transaction could delete the row.
    async fn lock(work: &Session, key: &[u8; 32], now: Timestamp) -> Result<Self, Unexpected> {
        let sql = "INSERT INTO auth_failures (key, failures, at, until) VALUES ($1, 0, $2, $3) \
                   ON CONFLICT (key) DO UPDATE SET key = excluded.key \
                   RETURNING failures, at, until, pending, pending_at";
        let parameters = [key.to_vec().into(), time(now), time(never())];
        let row = work.query_one_as(sql, parameters).await?;
        row.ok_or_else(|| Unexpected::new("a count of failures was not returned"))
    }

    async fn store(&self, work: &Session, key: &[u8; 32]) -> Result<(), Unexpected> {
        let sql = "UPDATE auth_failures SET failures = $1, at = $2, until = $3, pending = $4, pending_at = $5 WHERE key = $6";
        let parameters = [
            self.failures.into(),
            self.at.into(),
            self.until.into(),
            self.pending.into(),
            self.pending_at.into(),
            key.to_vec().into(),
        ];
        work.execute_sql(sql, parameters).await?;
        Ok(())
    }
}

fn time(at: Timestamp) -> Value {
    DateTimeUtc::from(at).into()
}

/// Counts an attempt as pending in each bucket, or in none.
///
/// An attempt is admitted if it would be admitted even if every pending one were wrong: as many are
/// checked at once as are free, and after that one at a time. So attempts that arrive at once check
/// no more passwords than attempts one by one.
pub(super) async fn admit(
    work: &Session,
    mut buckets: Vec<Bucket>,
    clock: &dyn Clock,
) -> Result<Admission, Unexpected> {
    // One order for all: two that lock the same rows never wait for each other.
    buckets.sort_by_key(|bucket| bucket.key);
    let mut counts = Vec::with_capacity(buckets.len());
    for bucket in &buckets {
        counts.push(Count::lock(work, &bucket.key, clock.now()).await?);
    }
    // After the locks: what was read before may be older than what another has written meanwhile.
    let now = clock.now();
    counts.iter_mut().for_each(|count| count.expire(now));
    let waits = counts.iter().map(|count| Timestamp::from(count.until));
    if let Some(until) = waits.max().filter(|until| *until > now) {
        return Ok(Admission::Throttled(until.since(now)));
    }
    let is_open = |bucket: &Bucket, count: &Count| {
        count.pending == 0 || count.left(&bucket.rule, now) + count.pending <= bucket.rule.free
    };
    let mut pairs = buckets.iter().zip(&counts);
    if !pairs.all(|(bucket, count)| is_open(bucket, count)) {
        return Ok(Admission::Pending);
    }
    let mut counted = Vec::with_capacity(buckets.len());
    for (Bucket { key, rule }, mut count) in buckets.into_iter().zip(counts) {
        count.pending += 1;
        count.pending_at = Some(now.into());
        count.store(work, &key).await?;
        counted.push(Counted { key, rule });
    }
    Ok(Admission::Admitted(counted))
}

/// The attempt was wrong: it is a failure now, and may bring a wait.
pub(super) async fn fail(
    work: &Session,
    counted: &[Counted],
    clock: &dyn Clock,
) -> Result<(), Unexpected> {
    let mut counts = Vec::with_capacity(counted.len());
    for Counted { key, .. } in counted {
        counts.push(Count::lock(work, key, clock.now()).await?);
    }
    let now = clock.now();
    for (Counted { key, rule }, mut count) in counted.iter().zip(counts) {
        count.failures = count.left(rule, now) + 1;
        count.at = now.into();
        count.pending = (count.pending - 1).max(0);
        let wait = rule.wait(count.failures);
        if !wait.is_zero() {
            count.until = count.until.max((now + wait).into());
        }
        count.store(work, key).await?;
    }
    Ok(())
}

impl Counted {
    /// The attempt was right: the failures before it were its owner's, or are not feared any more.
    pub(super) async fn succeed(&self, work: &Session) -> Result<(), Unexpected> {
        if self.rule.shared {
            return self.release(work).await;
        }
        let sql = "DELETE FROM auth_failures WHERE key = $1 AND pending <= 1";
        if work.execute_sql(sql, [self.key.to_vec().into()]).await? == 1 {
            return Ok(());
        }
        let sql = "UPDATE auth_failures SET failures = 0, until = $1, \
                   pending = CASE WHEN pending > 0 THEN pending - 1 ELSE 0 END WHERE key = $2";
        work.execute_sql(sql, [time(never()), self.key.to_vec().into()])
            .await?;
        Ok(())
    }

    /// The attempt is not pending any more, and no failure either.
    pub(super) async fn release(&self, work: &Session) -> Result<(), Unexpected> {
        let sql = "DELETE FROM auth_failures WHERE key = $1 AND pending <= 1 AND failures = 0";
        if work.execute_sql(sql, [self.key.to_vec().into()]).await? == 1 {
            return Ok(());
        }
        let sql = "UPDATE auth_failures SET pending = pending - 1 WHERE key = $1 AND pending > 0";
        work.execute_sql(sql, [self.key.to_vec().into()]).await?;
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
        "DELETE FROM auth_failures WHERE key IN (SELECT key FROM auth_failures WHERE at < $1 AND (pending = 0 OR pending_at < $2){skip})"
    );
    let old = now - KEPT;
    work.execute_sql(&sql, [time(old), time(old)]).await?;
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
    use doyen_core::secs;

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
