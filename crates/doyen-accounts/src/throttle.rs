//! Slows down repeated failed logins.
//!
//! | bucket | slows |
//! | --- | --- |
//! | the account | password guesses on one account from many networks |
//! | the network | guesses on many accounts from one network |
//! | account and network, if the account has logged in from there before | guesses on an account from its owner's network |
//!
//! **Other clients cannot lock the owner out.** From a network where an account has logged in
//! within 90 days, only the third bucket counts. Failures from other networks and failures on other
//! accounts do not delay the owner.
//!
//! A few failures are free. Each further failure doubles the wait, from a second to a quarter of an
//! hour. During the wait, attempts get a 429 with `Retry-After` and no password is checked.
//! Failures are forgotten one by one, so typing errors in a large office do not add up.
//!
//! An attempt is counted as pending before the password is checked, in its own transaction. The
//! outcome of the check turns it into a failure or removes it. As many attempts are pending at once
//! as may fail without a wait; after that one at a time. Further attempts wait up to ten seconds.
//! Correct passwords that arrive at once all succeed, and a thousand guesses at once check no more
//! passwords than a thousand one by one. At most 48 attempts on one account, 96 from one network
//! and 128 in total wait in one process; further ones get a 429. Attempts on unknown addresses are
//! counted too, so responses do not reveal which accounts exist. The keys of the rows are keyed
//! hashes, so the table does not reveal it either. The counts are in the database: they survive a
//! restart, and all nodes share them.
//!
//! Limit: the throttle does not recognize devices. A client in the owner's network can delay the
//! owner.

mod buckets;
mod known_networks;
mod network;
mod settings;
mod waiting;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use doyen_core::{
    Access, Clock, Inject, Problem, SecurityEvent, SecurityLog, Unexpected, security,
};
use doyen_data::{Database, Session};
use tokio::runtime::Handle;
use tokio::time::Instant;

use buckets::{Blocked, Bucket, Counted};
use network::Network;
pub use settings::ThrottleSettings;
use waiting::WaitLimit;

use crate::account_keys::AccountKeys;

/// Maximum wait for the outcome of pending attempts. Then the attempt gets a 429.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Time between two reads while an attempt waits. It doubles from the first value to the second.
const POLL_INTERVALS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(80)];

/// Number of admitted attempts between two deletions of old rows.
const PRUNE_EVERY: u32 = 64;

/// Too many logins failed for this account or from this network. The password was not checked.
/// Retry after the number of seconds in `Retry-After`. In a network where you have logged in
/// before, failed logins from other networks do not cause a wait.
#[derive(Debug, Problem)]
#[problem(too_many_requests, code = "login_throttled")]
pub struct LoginThrottled {
    /// Seconds to wait.
    #[problem(retry_after)]
    pub seconds: u32,
}

/// Why an attempt was not admitted.
#[derive(Debug, Problem)]
pub enum Admit {
    /// Too many earlier attempts failed.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Counts login attempts and refuses them after too many failures.
#[derive(Clone, Inject)]
pub struct Throttle {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    keys: Arc<AccountKeys>,
    settings: Arc<ThrottleSettings>,
    state: Arc<ThrottleState>,
    log: Arc<dyn SecurityLog>,
}

/// The part of the throttle that the nodes do not share.
#[derive(Debug, Default)]
pub(crate) struct ThrottleState {
    wait_limit: WaitLimit,
    admitted: AtomicU32,
}

/// A pending attempt. If it is dropped without an outcome, it becomes a failure.
pub struct Attempt {
    pending: Pending,
    /// Key of the account's network, and whether the account has logged in from there before.
    place: Option<([u8; 32], bool)>,
}

impl Throttle {
    /// Admits a login attempt. Call it before the password check and before the transaction of the
    /// request begins.
    ///
    /// # Errors
    ///
    /// Returns an error if too many earlier attempts failed or the database is unavailable.
    pub async fn admit(&self, email: &str, address: Option<IpAddr>) -> Result<Attempt, Admit> {
        let email = email.to_lowercase();
        let account = self.settings.account();
        let place = Network::place(address).map(|place| self.key("place", &[&email, &place]));
        let known = match place {
            Some(place) => self.is_known(&place).await?,
            None => false,
        };
        let buckets = match place {
            Some(place) if known => vec![Bucket::new(place, account)],
            _ => {
                let mut buckets = vec![Bucket::new(self.key("account", &[&email]), account)];
                if let Some(network) = Network::of(address) {
                    let key = self.key("network", &[&network]);
                    buckets.push(Bucket::new(key, self.settings.network()));
                }
                buckets
            }
        };
        Ok(Attempt {
            pending: self.count(buckets, address, None).await?,
            place: place.map(|place| (place, known)),
        })
    }

    /// Admits an attempt of a user who is logged in to confirm their password or a code. It keeps
    /// the holder of a stolen token from guessing the password.
    ///
    /// # Errors
    ///
    /// Same as [`admit`](Self::admit).
    pub async fn admit_own(
        &self,
        subject: &str,
        address: Option<IpAddr>,
    ) -> Result<Attempt, Admit> {
        let key = self.key("own", &[subject]);
        let buckets = vec![Bucket::new(key, self.settings.account())];
        Ok(Attempt {
            pending: self.count(buckets, address, Some(subject)).await?,
            place: None,
        })
    }

    async fn count(
        &self,
        mut buckets: Vec<Bucket>,
        address: Option<IpAddr>,
        subject: Option<&str>,
    ) -> Result<Pending, Admit> {
        buckets.sort_by_key(|bucket| bucket.key);
        let deadline = Instant::now() + MAX_WAIT;
        let [mut interval, longest] = POLL_INTERVALS;
        let mut permit = None;
        let wait = loop {
            match self.try_admit(&buckets).await? {
                Ok(pending) => {
                    self.prune().await;
                    return Ok(pending);
                }
                Err(Blocked::Throttled(wait)) => break wait,
                Err(Blocked::Pending) => {}
            }
            permit = permit.or_else(|| self.state.wait_limit.acquire(&buckets));
            if permit.is_none() || Instant::now() + interval > deadline {
                break Duration::ZERO;
            }
            tokio::time::sleep(interval).await;
            interval = (2 * interval).min(longest);
        };
        let mut event = SecurityEvent::new(security::LOGIN_THROTTLED).from(address, None);
        event.subject = subject.map(Into::into);
        self.log.record(event);
        // The maximum wait is a day, so the number of seconds fits.
        let seconds = (wait.as_secs_f64().ceil() as u32).max(1);
        Err(LoginThrottled { seconds }.into())
    }

    async fn try_admit(&self, buckets: &[Bucket]) -> Result<Result<Pending, Blocked>, Unexpected> {
        // Attempts that wait or are throttled must not take the writer or write row versions.
        let read = self.database.session(Access::Read);
        if let Some(blocked) = buckets::read_blocked(&read, buckets, &*self.clock).await? {
            return Ok(Err(blocked));
        }
        let work = self.database.session(Access::Write);
        match buckets::admit(&work, buckets, &*self.clock).await? {
            Ok(counted) => {
                // Before the commit, during which the client can disconnect. If the commit fails,
                // one failure too many is counted.
                let pending = Pending::new(self, counted);
                work.commit().await?;
                Ok(Ok(pending))
            }
            Err(blocked) => {
                work.rollback().await;
                Ok(Err(blocked))
            }
        }
    }

    async fn fail(&self, counted: &[Counted]) -> Result<(), Unexpected> {
        let work = self.database.session(Access::Write);
        buckets::fail(&work, counted, &*self.clock).await?;
        work.commit().await
    }

    /// Deletes old rows now and then. An error must not fail the login.
    async fn prune(&self) {
        let admitted = self.state.admitted.fetch_add(1, Ordering::Relaxed);
        if admitted.is_multiple_of(PRUNE_EVERY) {
            let work = self.database.session(Access::Write);
            let result = match buckets::prune(&work, self.clock.now()).await {
                Ok(()) => work.commit().await,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                tracing::warn!(error = %error.error(), "cannot delete old failed logins");
            }
        }
    }

    fn key(&self, kind: &str, parts: &[&str]) -> [u8; 32] {
        buckets::key(&self.keys.throttle, kind, parts)
    }
}

impl Attempt {
    /// Admits a check of the second factor. It has its own bucket, since the client already knows
    /// the password.
    ///
    /// # Errors
    ///
    /// Same as [`Throttle::admit`].
    pub async fn second(&self, subject: &str, address: Option<IpAddr>) -> Result<Attempt, Admit> {
        let throttle = &self.pending.throttle;
        let key = match &self.place {
            // A known network has its own bucket: clients elsewhere cannot lock the owner out.
            Some((place, true)) => buckets::key(place, "factor", &[subject]),
            _ => throttle.key("factor", &[subject]),
        };
        let buckets = vec![Bucket::new(key, throttle.settings.account())];
        Ok(Self {
            pending: throttle.count(buckets, address, Some(subject)).await?,
            place: None,
        })
    }

    /// Reports a success: resets the failures of the account and remembers its network, in the
    /// transaction of the request. If that is rolled back, the attempt becomes a failure.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn succeeded(self, work: &Session, subject: &str) -> Result<(), Unexpected> {
        let Self { mut pending, place } = self;
        for counted in &pending.counted {
            counted.succeed(work).await?;
        }
        if let Some((place, _)) = place {
            pending.throttle.remember(work, &place, subject).await?;
        }
        // A rollback drops this without running it.
        work.after_commit(async move { pending.counted.clear() });
        Ok(())
    }

    /// Reports a failure, in its own transaction: the transaction of the request must not be open.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn failed(mut self) -> Result<(), Unexpected> {
        self.pending.fail().await
    }

    /// Removes the attempt without counting a failure, in its own transaction: the transaction of
    /// the request must not be open.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn forgive(mut self) -> Result<(), Unexpected> {
        let work = self.pending.throttle.database.session(Access::Write);
        for counted in &self.pending.counted {
            counted.release(&work).await?;
        }
        work.commit().await?;
        self.pending.counted.clear();
        Ok(())
    }
}

/// The buckets in which an attempt is pending. If it is dropped with some left (an error, a
/// rollback, a client that disconnects), a background task records a failure.
struct Pending {
    throttle: Throttle,
    counted: Vec<Counted>,
}

impl Pending {
    fn new(throttle: &Throttle, counted: Vec<Counted>) -> Self {
        Self {
            throttle: throttle.clone(),
            counted,
        }
    }

    async fn fail(&mut self) -> Result<(), Unexpected> {
        self.throttle.fail(&self.counted).await?;
        self.counted.clear();
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let counted = std::mem::take(&mut self.counted);
        // Without a runtime the process ends; the attempt becomes a failure when its lease is over.
        if let (false, Ok(runtime)) = (counted.is_empty(), Handle::try_current()) {
            let throttle = self.throttle.clone();
            runtime.spawn(async move {
                if let Err(error) = throttle.fail(&counted).await {
                    tracing::warn!(error = %error.error(), "a failed login stays pending");
                }
            });
        }
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}
