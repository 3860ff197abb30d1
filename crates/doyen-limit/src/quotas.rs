//! Quotas per day and month, in SQL.
//!
//! A process takes calls from the table in small leases, a hundredth of the quota and at most
//! fifty, and counts them in memory: most requests need no query. The table never holds less than
//! was used. So a crash never grants more than the quota; the caller loses the rest of the lease,
//! at most a hundredth. Two nodes share the table and never grant a call twice. A process that
//! stops in order returns its unused calls.

mod lease;
mod table;

pub use table::TABLES;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use doyen_core::limit::{
    Decision, MAX_CHARGES, QuotaBucket, QuotaCharge, QuotaDecision, QuotaState, QuotaTaken, Quotas,
};
use doyen_core::sync;
use doyen_core::{Clock, Timestamp, Unexpected};
use doyen_data::Database;

use lease::Lease;
use table::Table;

/// Maximum time that a request waits for the database. After it, the request passes and is counted
/// later.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for which a refusal is cached, in microseconds, so that refused callers cause few queries.
const REFUSAL_CACHE_MICROS: i64 = 5_000_000;

/// Time for which a row is kept after its period, in seconds.
const RETENTION_SECONDS: i64 = 62 * 86_400;

/// Counts calls per day and month.
///
/// While the database does not respond, requests pass, are counted in memory, and are written when
/// the database responds.
pub struct SqlQuotas {
    table: Table,
    clock: Arc<dyn Clock>,
    leases: Mutex<Leases>,
    failing: AtomicBool,
    cleared: AtomicI64,
}

/// Leases by quota and subject.
type Leases = HashMap<String, HashMap<String, Lease>>;

impl std::fmt::Debug for SqlQuotas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlQuotas").finish_non_exhaustive()
    }
}

impl SqlQuotas {
    /// Creates a counter in this database, with the tables of [`TABLES`].
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self {
            table: Table::new(database),
            clock,
            leases: Mutex::default(),
            failing: AtomicBool::new(false),
            cleared: AtomicI64::new(0),
        }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        sync::lock(&self.leases)
    }

    /// Takes all calls from the leases, or none. If none, returns the quotas that lack calls.
    fn try_now(&self, charges: &[QuotaCharge<'_>], now: i64) -> Result<QuotaTaken, u8> {
        let mut leases = self.leases();
        let mut missing = 0;
        for (at, charge) in charges.iter().enumerate() {
            let lease = get(&mut leases, charge.quota, charge.subject);
            if !lease.is_some_and(|lease| lease.covers(now) && lease.held >= charge.calls) {
                missing |= 1 << at;
            }
        }
        if missing != 0 {
            return Err(missing);
        }
        let mut taken = nothing();
        for (at, charge) in charges.iter().enumerate() {
            if let Some(lease) = get(&mut leases, charge.quota, charge.subject) {
                lease.held -= charge.calls;
                show(&mut taken, at, charge, lease, now);
            }
        }
        Ok(taken)
    }

    async fn take_slowly(&self, charges: &[QuotaCharge<'_>]) -> QuotaTaken {
        // Another task may use the calls that were just leased. Then lease again; the database
        // decides each time.
        for _ in 0..16 {
            let now = self.clock.now();
            let missing = match self.try_now(charges, now.micros()) {
                Ok(taken) => return taken,
                Err(missing) => missing,
            };
            let mut refused = nothing();
            for (at, charge) in charges.iter().enumerate() {
                if missing & (1 << at) == 0 {
                    continue;
                }
                match self.lease(charge, now).await {
                    Ok(true) => {}
                    Ok(false) => {
                        refused.allowed = false;
                        refused.violated |= 1 << at;
                        let mut leases = self.leases();
                        if let Some(lease) = get(&mut leases, charge.quota, charge.subject) {
                            let resets = lease.seconds_left(now.micros());
                            if resets >= refused.resets {
                                refused.tightest = at;
                                refused.resets = resets;
                                refused.remaining = lease.left(charge.limit);
                            }
                        }
                    }
                    Err(error) => return self.pass(charges, now, &error),
                }
            }
            if !refused.allowed {
                return refused;
            }
        }
        self.pass(
            charges,
            self.clock.now(),
            "concurrent requests took the leased calls sixteen times",
        )
    }

    /// Leases calls for a subject, at least as many as this call needs.
    async fn lease(&self, charge: &QuotaCharge<'_>, now: Timestamp) -> Result<bool, String> {
        let (begins, ends) = charge.quota.period.around(now);
        let debt = {
            let mut leases = self.leases();
            let lease = entry(&mut leases, charge.quota, charge.subject);
            if !lease.covers(now.micros()) {
                *lease = Lease::new(begins, ends);
            }
            if lease.refused_until > now.micros() && lease.refused_calls <= charge.calls {
                return Ok(false);
            }
            std::mem::take(&mut lease.debt)
        };
        self.clear(begins).await;
        let lease = (charge.limit / 100).clamp(1, 50).max(charge.calls);
        let done = async {
            for calls in [lease, charge.calls] {
                if let Some(used) = self
                    .table
                    .add(
                        charge.quota,
                        charge.subject,
                        begins,
                        calls + debt,
                        charge.limit,
                    )
                    .await?
                {
                    return Ok(Ok((calls, used)));
                }
                if calls == charge.calls {
                    break;
                }
            }
            Ok(Err(self
                .table
                .used(charge.quota, charge.subject, begins)
                .await?))
        };
        let done: Result<Result<(u64, u64), u64>, String> =
            match tokio::time::timeout(DATABASE_TIMEOUT, done).await {
                Ok(done) => done,
                Err(_) => Err("the database did not respond in time".to_owned()),
            };
        let mut leases = self.leases();
        let lease = entry(&mut leases, charge.quota, charge.subject);
        match done {
            Ok(Ok((calls, used))) => {
                if lease.begins == begins {
                    lease.held += calls;
                    lease.used = used;
                    lease.refused_until = 0;
                }
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("quotas are counted again");
                }
                Ok(true)
            }
            Ok(Err(used)) => {
                lease.debt += debt;
                lease.used = used;
                lease.refused_until = now.micros() + REFUSAL_CACHE_MICROS;
                lease.refused_calls = charge.calls;
                Ok(false)
            }
            Err(error) => {
                lease.debt += debt;
                Err(error)
            }
        }
    }

    /// Lets the request pass and counts it later.
    fn pass(&self, charges: &[QuotaCharge<'_>], now: Timestamp, error: &str) -> QuotaTaken {
        if !self.failing.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                error,
                "quotas cannot be counted: requests pass, and are counted later"
            );
        }
        let mut leases = self.leases();
        let mut taken = nothing();
        for (at, charge) in charges.iter().enumerate() {
            let lease = entry(&mut leases, charge.quota, charge.subject);
            lease.debt += charge.calls;
            show(&mut taken, at, charge, lease, now.micros());
        }
        taken
    }

    /// Removes old rows and leases, once per period.
    async fn clear(&self, begins: Timestamp) {
        let begins = begins.unix();
        let before = self.cleared.fetch_max(begins, Ordering::Relaxed);
        if before >= begins {
            return;
        }
        let now = self.clock.now().micros();
        for subjects in self.leases().values_mut() {
            subjects.retain(|_, lease| lease.covers(now));
        }
        if let Err(error) = self.table.clear(begins - RETENTION_SECONDS).await {
            tracing::warn!(error, "old quotas were not removed");
        }
    }
}

#[async_trait::async_trait]
impl Quotas for SqlQuotas {
    fn take<'a>(&'a self, charges: &'a [QuotaCharge<'a>]) -> QuotaDecision<'a> {
        let charges = &charges[..charges.len().min(MAX_CHARGES)];
        match self.try_now(charges, self.clock.now().micros()) {
            Ok(taken) => Decision::Now(taken),
            Err(_) => Decision::Later(Box::pin(self.take_slowly(charges))),
        }
    }

    fn give_back(&self, charges: &[QuotaCharge<'_>]) {
        let now = self.clock.now().micros();
        let mut leases = self.leases();
        for charge in charges {
            if let Some(lease) =
                get(&mut leases, charge.quota, charge.subject).filter(|lease| lease.covers(now))
            {
                lease.held += charge.calls;
            }
        }
    }

    async fn state(&self, quota: &QuotaBucket, subject: &str) -> Result<QuotaState, Unexpected> {
        let now = self.clock.now();
        let (begins, resets_at) = quota.period.around(now);
        let used = self
            .table
            .used(quota, subject, begins)
            .await
            .map_err(Unexpected::unavailable)?;
        let mut leases = self.leases();
        let lease = get(&mut leases, quota, subject).filter(|lease| lease.begins == begins);
        let used = lease.map_or(used, |lease| (used + lease.debt).saturating_sub(lease.held));
        Ok(QuotaState { used, resets_at })
    }

    async fn flush(&self) {
        let now = self.clock.now().micros();
        let mut open = Vec::new();
        for (name, subjects) in self.leases().iter_mut() {
            for (subject, lease) in subjects.iter_mut() {
                if lease.covers(now) && (lease.held > 0 || lease.debt > 0) {
                    open.push((
                        name.clone(),
                        subject.clone(),
                        lease.begins,
                        lease.held,
                        lease.debt,
                    ));
                    (lease.held, lease.debt) = (0, 0);
                }
            }
        }
        // The same order on all nodes, so that two nodes that write the same rows cannot deadlock.
        open.sort_unstable();
        if let Err(error) = self.table.settle(&open).await {
            tracing::warn!(error, "unused calls of leases were not written back");
        }
    }
}

const fn nothing() -> QuotaTaken {
    QuotaTaken {
        allowed: true,
        tightest: 0,
        remaining: u64::MAX,
        resets: 0,
        violated: 0,
    }
}

/// The quota with the fewest calls left is the one in the response.
fn show(taken: &mut QuotaTaken, at: usize, charge: &QuotaCharge<'_>, lease: &Lease, now: i64) {
    let left = lease.left(charge.limit);
    if left < taken.remaining {
        taken.tightest = at;
        taken.remaining = left;
        taken.resets = lease.seconds_left(now);
    }
}

fn get<'l>(leases: &'l mut Leases, quota: &QuotaBucket, subject: &str) -> Option<&'l mut Lease> {
    leases.get_mut(&quota.name)?.get_mut(subject)
}

fn entry<'l>(leases: &'l mut Leases, quota: &QuotaBucket, subject: &str) -> &'l mut Lease {
    leases
        .entry(quota.name.clone())
        .or_default()
        .entry(subject.to_owned())
        .or_insert_with(Lease::over)
}
