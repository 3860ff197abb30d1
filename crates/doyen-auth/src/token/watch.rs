//! Reads keys that another node changed.
//!
//! The table of keys is read while tokens are verified, at most once a second, by one request; the
//! others use the keys in memory. A token with an unknown key triggers a read at once, at most five
//! times a second, so that invented names do not overload the database. If the table cannot be
//! read, the keys stay, except those whose time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen_core::Timestamp;
use tokio::sync::Mutex;

use super::{Claims, Rejected, Tokens};
use crate::keys::{KeyError, SigningKeys, StoredKey, accepted};

type Micros = u64;

/// Age above which the keys are read again.
const REFRESH_AGE: Micros = 1_000_000;
/// The same if a token names an unknown key.
const REFRESH_AGE_UNKNOWN_KEY: Micros = 200_000;
/// Age above which a verification waits for the keys to be read.
const MAX_AGE: Micros = 60_000_000;
/// Timeout of a read; a request waits for it.
const READ_TIMEOUT: Duration = Duration::from_millis(500);
/// Interval of reads without traffic: a node that only issues tokens must not sign with a dropped
/// key.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Source of the keys.
pub(super) struct Watch {
    keys: SigningKeys,
    /// Time of the last read, in microseconds of the clock.
    read_at: AtomicI64,
    turn: Mutex<Turn>,
}

/// State of the task that reads the keys.
#[derive(Default)]
struct Turn {
    /// The rows of the last read.
    rows: Vec<StoredKey>,
    /// The ring in use; `None` before the first read.
    used: Option<Vec<StoredKey>>,
    /// True if the failure is logged already.
    logged: bool,
}

impl Watch {
    fn new(keys: SigningKeys) -> Self {
        Self {
            keys,
            read_at: AtomicI64::new(i64::MIN),
            turn: Mutex::default(),
        }
    }

    /// Age of the keys. After the clock was set back, the age is unknown and counts as too old.
    fn is_older(&self, than: Micros, now: Timestamp) -> bool {
        now.micros().abs_diff(self.read_at.load(Ordering::Acquire)) >= than
    }
}

impl Tokens {
    /// Uses the keys of this table from now on. [`load`](Self::load) reads it for the first time.
    #[must_use]
    pub fn follow(mut self, keys: SigningKeys) -> Self {
        self.watch = Some(Watch::new(keys));
        self
    }

    /// Reads the keys now, whatever their age. Call it at start, so that keys of another seed are
    /// reported before the first request.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be read, or were not derived from this seed. The keys in use
    /// stay.
    pub async fn load(&self) -> Result<(), KeyError> {
        match &self.watch {
            Some(watch) => self.read(watch, &mut *watch.turn.lock().await).await,
            None => Ok(()),
        }
    }

    /// Reads the keys again if they were read more than a second ago. A failure is logged, once,
    /// and the keys stay.
    pub async fn fresh(&self) {
        self.fresh_at(self.clock.now()).await;
    }

    /// Reads the keys twice a minute for as long as these tokens exist, with or without traffic.
    /// Call it in a runtime.
    pub fn keep_fresh(self: &Arc<Self>) {
        let tokens = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(POLL_INTERVAL).await;
                match tokens.upgrade() {
                    Some(tokens) => tokens.fresh().await,
                    None => return,
                }
            }
        });
    }

    /// Verifies a token with the current keys: [`verify`](Self::verify) after
    /// [`fresh`](Self::fresh), and again if the token names a key that another node may have just
    /// created.
    ///
    /// # Errors
    ///
    /// Returns the first rule that the token violates: for the log, not for the client.
    pub async fn check(&self, token: &str) -> Result<Arc<Claims>, Rejected> {
        let now = self.clock.now();
        self.fresh_at(now).await;
        match (self.verify_at(token, now), &self.watch) {
            (Err(Rejected::UnknownKey), Some(watch)) => {
                Box::pin(self.check_again(watch, token)).await
            }
            (done, _) => done,
        }
    }

    async fn fresh_at(&self, now: Timestamp) {
        if let Some(watch) = &self.watch
            && watch.is_older(REFRESH_AGE, now)
        {
            Box::pin(self.catch_up(watch, now)).await;
        }
    }

    async fn catch_up(&self, watch: &Watch, now: Timestamp) {
        let mut turn = match watch.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) if !watch.is_older(MAX_AGE, now) => return,
            Err(_) => watch.turn.lock().await,
        };
        if watch.is_older(REFRESH_AGE, self.clock.now()) {
            self.read_and_tell(watch, &mut turn).await;
        }
    }

    async fn check_again(&self, watch: &Watch, token: &str) -> Result<Arc<Claims>, Rejected> {
        {
            let mut turn = watch.turn.lock().await;
            if watch.is_older(REFRESH_AGE_UNKNOWN_KEY, self.clock.now()) {
                self.read_and_tell(watch, &mut turn).await;
            }
        }
        self.verify(token)
    }

    async fn read_and_tell(&self, watch: &Watch, turn: &mut Turn) {
        match self.read(watch, turn).await {
            Ok(()) if turn.logged => {
                turn.logged = false;
                tracing::info!("the signing keys can be read again");
            }
            Ok(()) => {}
            Err(error) if !turn.logged => {
                turn.logged = true;
                tracing::error!(%error, "the signing keys cannot be read; those in use stay");
            }
            Err(_) => {}
        }
    }

    async fn read(&self, watch: &Watch, turn: &mut Turn) -> Result<(), KeyError> {
        let read = tokio::time::timeout(READ_TIMEOUT, watch.keys.list()).await;
        let now = self.clock.now();
        let read = read
            .unwrap_or(Err(KeyError::Slow))
            .map(|rows| turn.rows = rows);
        // Even if the read failed: the time of a retired key may be over.
        let accepted = accepted(&turn.rows, now);
        let changed = if turn.used.as_ref() == Some(&accepted) {
            Ok(())
        } else {
            watch.keys.ring(&accepted).map(|ring| {
                self.rotate(ring);
                turn.used = Some(accepted);
            })
        };
        watch.read_at.store(now.micros(), Ordering::Release);
        read.and(changed)
    }
}
