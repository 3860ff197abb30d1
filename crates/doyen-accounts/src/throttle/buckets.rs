//! Failure counts, and the waits they cause.

use std::time::Duration;

use aws_lc_rs::hmac;
use doyen_core::{Clock, DAY, MINUTE, Timestamp, Unexpected};
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{self, DbBackend, FromQueryResult, Value};
use doyen_data::{Row, Session};

use super::known_networks::NETWORK_RETENTION;

/// A row without a failure for this long is deleted.
const RETENTION: Duration = DAY;
/// An attempt without an outcome for this long becomes a failure: its process has ended. Longer
/// than any request takes.
const LEASE: Duration = MINUTE;
/// The time stored when there is no wait. Not the current time: the clock of another node may be
/// behind.
fn never() -> Timestamp {
    Timestamp::from_micros(0)
}

/// Maximum rows in the table. The oldest are deleted first.
const MAX_ROWS: u32 = 1_000_000;
/// How failures turn into waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Failures without a wait.
    pub(super) free: i64,
    /// Wait after the first failure that is not free. Each further failure doubles it.
    pub(super) first: Duration,
    /// Maximum wait.
    pub(super) longest: Duration,
    /// Time after which one failure is forgotten.
    pub(super) forget: Duration,
    /// True if several accounts share the bucket. A success then does not reset the failures.
    pub(super) shared: bool,
}

impl Rule {
    /// Returns the wait after this many failures.
    fn wait(&self, failures: i64) -> Duration {
        let over = failures - self.free;
        if over <= 0 {
            return Duration::ZERO;
        }
        // Thirty doublings of a second exceed every maximum.
        let doublings = u32::try_from(over - 1).unwrap_or(u32::MAX).min(30);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }

    /// Returns the failures that are not yet forgotten after this time.
    fn left(&self, failures: i64, passed: Duration) -> i64 {
        let forgotten = passed.as_micros() / self.forget.as_micros().max(1);
        failures
            .saturating_sub(i64::try_from(forgotten).unwrap_or(i64::MAX))
            .max(0)
    }
}

/// The failures of one account, network or known network of an account.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) key: [u8; 32],
    pub(super) rule: Rule,
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

/// Returns the key of a bucket. The length of each part keeps different lists of parts distinct.
pub(super) fn key(secret: &[u8; 32], kind: &str, parts: &[&str]) -> [u8; 32] {
    let mut text = kind.to_owned();
    for part in parts {
        text.push_str(&format!("\0{}\0{part}", part.len()));
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

/// Why an attempt is not admitted. It was not counted.
pub(super) enum Blocked {
    /// The decision depends on the outcome of pending attempts.
    Pending,
    /// The wait that earlier failures caused.
    Throttled(Duration),
}

impl Count {
    const fn empty(now: DateTimeUtc, until: DateTimeUtc) -> Self {
        Self {
            failures: 0,
            at: now,
            until,
            pending: 0,
            pending_at: None,
        }
    }

    /// Turns pending attempts whose lease is over into failures.
    fn expire(&mut self, rule: &Rule, now: Timestamp) {
        let lease_is_over = |at: DateTimeUtc| now.since(at.into()) >= LEASE;
        if self.pending > 0 && self.pending_at.is_none_or(lease_is_over) {
            self.failures = self.left(rule, now) + self.pending;
            self.at = now.into();
            self.pending = 0;
        }
    }

    fn left(&self, rule: &Rule, now: Timestamp) -> i64 {
        rule.left(self.failures, now.since(self.at.into()))
    }

    /// Reads a row without a lock.
    async fn read(session: &Session, key: &[u8; 32]) -> Result<Option<Self>, Unexpected> {
        let sql =
            "SELECT failures, at, until, pending, pending_at FROM auth_failures WHERE key = $1";
        Ok(session.query_one_as(sql, [key.to_vec().into()]).await?)
    }

    /// Locks a row until the end of the transaction, and inserts it if it does not exist. One
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

/// Decides whether an attempt is admitted: only if it would be admitted even if every pending
/// attempt were wrong.
///
/// As many attempts are pending at once as may fail without a wait, and after that one at a time.
/// So attempts that arrive at once check no more passwords than attempts one by one.
fn blocked(buckets: &[Bucket], counts: &mut [Count], now: Timestamp) -> Option<Blocked> {
    for (bucket, count) in buckets.iter().zip(counts.iter_mut()) {
        count.expire(&bucket.rule, now);
    }
    let waits = counts.iter().map(|count| Timestamp::from(count.until));
    if let Some(until) = waits.max().filter(|until| *until > now) {
        return Some(Blocked::Throttled(until.since(now)));
    }
    let is_open = |bucket: &Bucket, count: &Count| {
        count.pending == 0 || count.left(&bucket.rule, now) + count.pending <= bucket.rule.free
    };
    let mut pairs = buckets.iter().zip(counts.iter());
    let all_open = pairs.all(|(bucket, count)| is_open(bucket, count));
    (!all_open).then_some(Blocked::Pending)
}

/// Reads without a lock whether [`admit`] would refuse an attempt.
pub(super) async fn read_blocked(
    session: &Session,
    buckets: &[Bucket],
    clock: &dyn Clock,
) -> Result<Option<Blocked>, Unexpected> {
    let mut counts = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let count = Count::read(session, &bucket.key).await?;
        let empty = || Count::empty(clock.now().into(), never().into());
        counts.push(count.unwrap_or_else(empty));
    }
    Ok(blocked(buckets, &mut counts, clock.now()))
}

/// Counts an attempt as pending in each bucket, or in none. The buckets must be in the order of
/// their keys: then two transactions that lock the same rows cannot deadlock.
pub(super) async fn admit(
    work: &Session,
    buckets: &[Bucket],
    clock: &dyn Clock,
) -> Result<Result<Vec<Counted>, Blocked>, Unexpected> {
    debug_assert!(buckets.is_sorted_by_key(|bucket| bucket.key));
    let mut counts = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        counts.push(Count::lock(work, &bucket.key, clock.now()).await?);
    }
    // Read the clock after the locks: other transactions may have written later times meanwhile.
    let now = clock.now();
    if let Some(blocked) = blocked(buckets, &mut counts, now) {
        return Ok(Err(blocked));
    }
    let mut counted = Vec::with_capacity(buckets.len());
    for (&Bucket { key, rule }, mut count) in buckets.iter().zip(counts) {
        count.pending += 1;
        count.pending_at = Some(now.into());
        count.store(work, &key).await?;
        counted.push(Counted { key, rule });
    }
    Ok(Ok(counted))
}

/// Turns a pending attempt into a failure, which may cause a wait.
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
    /// Ends a pending attempt that succeeded, and resets the failures unless the bucket is shared.
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

    /// Ends a pending attempt without counting a failure.
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

/// Deletes old and surplus rows, in a transaction that does nothing else.
pub(super) async fn prune(work: &Session, now: Timestamp) -> Result<(), Unexpected> {
    // A locked row is being updated, so it is no longer old.
    let skip = match work.backend() {
        DbBackend::Postgres => " FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let sql = format!(
        "DELETE FROM auth_failures WHERE key IN (SELECT key FROM auth_failures WHERE at < $1 AND (pending = 0 OR pending_at < $2){skip})"
    );
    let old = now - RETENTION;
    work.execute_sql(&sql, [time(old), time(old)]).await?;
    let sql = format!(
        "DELETE FROM auth_failures WHERE key IN (SELECT key FROM auth_failures \
         WHERE at < (SELECT at FROM auth_failures ORDER BY at DESC LIMIT 1 OFFSET {MAX_ROWS}){skip})"
    );
    work.execute_sql(&sql, []).await?;
    let sql = format!(
        "DELETE FROM auth_places WHERE key IN (SELECT key FROM auth_places WHERE seen_at < $1{skip})"
    );
    work.execute_sql(&sql, [time(now - NETWORK_RETENTION)])
        .await?;
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
    fn the_wait_doubles_after_the_free_failures() {
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
    fn an_expired_lease_does_not_revive_forgotten_failures() {
        let start = Timestamp::from_micros(1_000_000);
        let mut count = Count {
            failures: 5,
            pending: 2,
            pending_at: Some(start.into()),
            ..Count::empty(start.into(), never().into())
        };
        count.expire(&RULE, start + secs(59));
        assert_eq!((count.failures, count.pending), (5, 2));
        count.expire(&RULE, start + secs(240));
        assert_eq!((count.failures, count.pending), (1 + 2, 0));
        assert_eq!(Timestamp::from(count.at), start + secs(240));
    }

    #[test]
    fn keys_of_different_parts_differ() {
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
