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
//! A try is counted before the password is looked at, in a unit of work of its own, and taken back when it was right: a thousand at once are
//! a thousand. An unknown address is counted like a known one, so the answers do not tell who has an account. Rows are keyed hashes: the
//! table tells nothing either. The counts are in the database: they survive a restart, and all nodes see them.
//!
//! What it does not do: it does not know a device. Who shares a network with the owner is slowed down together with them.

mod buckets;
mod network;
mod places;
mod settings;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use doyen_auth::Seed;
use doyen_core::{
    Access, Clock, Inject, Problem, SecurityEvent, SecurityLog, Unexpected, security,
};
use doyen_data::{Database, Session};

use buckets::{Bucket, Counted};
use network::Network;
pub use settings::ThrottleSettings;

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

/// A try that was counted as a failure: say what became of it. Nothing said, it stays one.
pub struct Attempt {
    throttle: Throttle,
    counted: Vec<Counted>,
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
            throttle: self.clone(),
            counted,
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
        Ok(Attempt {
            throttle: self.clone(),
            counted: self.count(buckets, address, Some(subject)).await?,
            place: None,
        })
    }

    async fn count(
        &self,
        buckets: Vec<Bucket>,
        address: Option<IpAddr>,
        subject: Option<&str>,
    ) -> Result<Vec<Counted>, Admit> {
        let work = self.database.session(Access::Write);
        let now = self.clock.now();
        match buckets::count(&work, buckets, now).await? {
            Ok(counted) => {
                work.commit().await?;
                if buckets::prune_is_due() {
                    let work = self.database.session(Access::Write);
                    buckets::prune(&work, now).await?;
                    work.commit().await?;
                }
                Ok(counted)
            }
            Err(until) => {
                work.rollback().await;
                let mut event = SecurityEvent::new(security::LOGIN_THROTTLED).from(address, None);
                event.subject = subject.map(Into::into);
                self.log.record(event);
                let wait = until.since(now).as_secs_f64().ceil();
                // Bounded by the longest wait, which is hours at most.
                let seconds = (wait as u32).max(1);
                Err(LoginThrottled { seconds }.into())
            }
        }
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
        let throttle = &self.throttle;
        let key = match &self.place {
            // From the owner's own network it is another count: others elsewhere do not keep the owner out.
            Some((place, true)) => buckets::key(place, "factor", &[subject]),
            _ => throttle.key("factor", &[subject]),
        };
        let buckets = vec![Bucket::new(key, throttle.settings.account())];
        Ok(Self {
            throttle: throttle.clone(),
            counted: throttle.count(buckets, address, Some(subject)).await?,
            place: None,
        })
    }

    /// It was right: the failures of this account are forgotten, and its network is one of the account's own. In the request's unit of work,
    /// so that it counts with the login.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn succeeded(self, work: &Session, subject: &str) -> Result<(), Unexpected> {
        let now = self.throttle.clock.now();
        for counted in &self.counted {
            counted.right(work, now).await?;
        }
        if let Some((place, _)) = self.place {
            self.throttle.remember(work, &place, subject).await?;
        }
        Ok(())
    }

    /// It was neither right nor wrong: as if it had not been. In a unit of work of its own.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn forgive(self) -> Result<(), Unexpected> {
        let work = self.throttle.database.session(Access::Write);
        let now = self.throttle.clock.now();
        for counted in &self.counted {
            counted.take_back(&work, now).await?;
        }
        work.commit().await
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
