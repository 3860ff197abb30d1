//! Who fails to log in too often waits. Whoever they are.
//!
//! | counted | slows |
//! | --- | --- |
//! | the account | many who try passwords on one account, from anywhere |
//! | the network | one who tries many accounts |
//! | account and network, where the account has logged in from there before | one who tries passwords on a neighbour's account |
//!
//! **An owner is not locked out by others.** From a network where an account has logged in within ninety days, only the third count is looked
//! at: a flood of failures from elsewhere does not keep the owner out, and neither does a neighbour who tries other accounts.
//!
//! A few failures are free. Then each doubles the time to wait, from a second to a quarter of an hour, and what is sent meanwhile is not
//! looked at: 429 with `Retry-After`. Failures are forgotten one by one, so that the typing mistakes of a big office do not add up.
//!
//! An attempt is counted as pending before the password is checked, in a unit of work of its own,
//! and as a failure or as none once its outcome is known. As many attempts are checked at once as
//! may fail without a wait; after that one at a time. The others wait up to ten seconds for the
//! outcome of those: correct passwords that arrive at once all succeed, and a thousand guesses at
//! once check no more passwords than a thousand one by one. At most 128 attempts of one process
//! wait; a further one gets 429. An unknown address is counted like a known one, so the answers do
//! not tell who has an account. Rows are keyed hashes: the table tells nothing either. The counts
//! are in the database: they survive a restart, and all nodes see them.
//!
//! What it does not do: it does not know a device. Who shares a network with the owner is slowed down together with them.

mod buckets;
mod network;
mod places;
mod settings;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use doyen_auth::Seed;
use doyen_core::{
    Access, Clock, Inject, Problem, SecurityEvent, SecurityLog, Unexpected, security,
};
use doyen_data::{Database, Session};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use buckets::{Admission, Bucket, Counted};
use network::Network;
pub use settings::ThrottleSettings;

/// How long an attempt waits for those that are being checked. Then it gets 429.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// How many attempts of one process wait at once.
const MAX_WAITING: usize = 128;
/// The time between two looks at those that are being checked: the first, and the longest.
const POLL_INTERVALS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(80)];

static WAITING: Semaphore = Semaphore::const_new(MAX_WAITING);

/// Too many logins failed, for this account or from your network. Nothing was looked at. Wait as many seconds as `Retry-After` says; from a
/// network where you have logged in before you need not wait for the failures of others.
#[derive(Debug, Problem)]
#[problem(too_many_requests, code = "login_throttled")]
pub struct LoginThrottled {
    /// Seconds to wait.
    #[problem(retry_after)]
    pub seconds: u32,
}

/// Why a try was not looked at.
#[derive(Debug, Problem)]
pub enum Admit {
    /// Too many failed before it.
    #[problem(transparent)]
    Throttled(LoginThrottled),
    /// Something nobody planned for.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Counts tries and says who waits.
#[derive(Clone, Inject)]
pub struct Throttle {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    seed: Arc<Seed>,
    settings: Arc<ThrottleSettings>,
    log: Arc<dyn SecurityLog>,
}

/// A pending attempt: report its outcome. Without one it becomes a failure when this is dropped.
pub struct Attempt {
    pending: Pending,
    /// The network as the account's own, and whether it was that before.
    place: Option<([u8; 32], bool)>,
}

impl Throttle {
    /// Counts a try to log in, before the password is looked at and before the request's own unit of work begins.
    ///
    /// # Errors
    ///
    /// Too many failed before it; the database's.
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
        let counted = self.count(buckets, address, None).await?;
        Ok(Attempt {
            pending: Pending::new(self, counted),
            place: place.map(|place| (place, known)),
        })
    }

    /// Counts a try to prove once more who one is, for somebody who is logged in: with a stolen token nobody finds the password by trying.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit).
    pub async fn admit_own(
        &self,
        subject: &str,
        address: Option<IpAddr>,
    ) -> Result<Attempt, Admit> {
        let key = self.key("own", &[subject]);
        let buckets = vec![Bucket::new(key, self.settings.account())];
        let counted = self.count(buckets, address, Some(subject)).await?;
        Ok(Attempt {
            pending: Pending::new(self, counted),
            place: None,
        })
    }

    async fn count(
        &self,
        buckets: Vec<Bucket>,
        address: Option<IpAddr>,
        subject: Option<&str>,
    ) -> Result<Vec<Counted>, Admit> {
        let deadline = Instant::now() + MAX_WAIT;
        let [mut interval, longest] = POLL_INTERVALS;
        let mut permit = None;
        let wait = loop {
            let work = self.database.session(Access::Write);
            match buckets::admit(&work, buckets.clone(), &*self.clock).await? {
                Admission::Admitted(counted) => {
                    work.commit().await?;
                    self.prune().await?;
                    return Ok(counted);
                }
                Admission::Throttled(wait) => {
                    work.rollback().await;
                    break wait;
                }
                Admission::Pending => work.rollback().await,
            }
            permit = permit.or_else(|| WAITING.try_acquire().ok());
            if permit.is_none() || Instant::now() + interval > deadline {
                break Duration::ZERO;
            }
            tokio::time::sleep(interval).await;
            interval = (2 * interval).min(longest);
        };
        let mut event = SecurityEvent::new(security::LOGIN_THROTTLED).from(address, None);
        event.subject = subject.map(Into::into);
        self.log.record(event);
        // Bounded by the longest wait, which is hours at most.
        let seconds = (wait.as_secs_f64().ceil() as u32).max(1);
        Err(LoginThrottled { seconds }.into())
    }

    async fn fail(&self, counted: &[Counted]) -> Result<(), Unexpected> {
        let work = self.database.session(Access::Write);
        buckets::fail(&work, counted, &*self.clock).await?;
        work.commit().await
    }

    async fn prune(&self) -> Result<(), Unexpected> {
        if buckets::prune_is_due() {
            let work = self.database.session(Access::Write);
            buckets::prune(&work, self.clock.now()).await?;
            work.commit().await?;
        }
        Ok(())
    }

    fn key(&self, kind: &str, words: &[&str]) -> [u8; 32] {
        buckets::key(&self.seed.derive("throttle"), kind, words)
    }
}

impl Attempt {
    /// Counts a try of a second factor: it belongs to who knows the password already, so it is counted on its own.
    ///
    /// # Errors
    ///
    /// Too many failed before it; the database's.
    pub async fn second(&self, subject: &str, address: Option<IpAddr>) -> Result<Attempt, Admit> {
        let throttle = &self.pending.throttle;
        let key = match &self.place {
            // From the owner's own network it is another count: others elsewhere do not keep the owner out.
            Some((place, true)) => buckets::key(place, "factor", &[subject]),
            _ => throttle.key("factor", &[subject]),
        };
        let buckets = vec![Bucket::new(key, throttle.settings.account())];
        let counted = throttle.count(buckets, address, Some(subject)).await?;
        Ok(Self {
            pending: Pending::new(throttle, counted),
            place: None,
        })
    }

    /// It was right: the failures of this account are forgotten, and its network is one of the account's own. In the request's unit of work,
    /// so that it counts with the login: if that is rolled back, the attempt is a failure.
    ///
    /// # Errors
    ///
    /// The database's.
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

    /// It was wrong. In a unit of work of its own, so the request's must not have begun.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn failed(mut self) -> Result<(), Unexpected> {
        self.pending.fail().await
    }

    /// It was neither right nor wrong: as if it had not been. In a unit of work of its own.
    ///
    /// # Errors
    ///
    /// The database's.
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

/// The buckets in which an attempt is pending. Dropped with some left (an error, a rollback, a
/// client that went away), the attempt becomes a failure in the background.
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
        // Without a runtime the process ends: the lease of the attempt does the rest.
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
