//! Keys that another node changed.
//!
//! The table of keys is read again while tokens are used, at most once a second, by one request;
//! the others go on with the keys that are there. A token that names an unknown key makes it read
//! at once, at most five times a second: who invents names cannot keep the database busy. When the
//! table cannot be read, the keys stay as they were, but for those whose time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use doyen_core::Timestamp;
use tokio::sync::Mutex;

use super::{Claims, Rejected, Tokens};
use crate::keys::{KeyError, SigningKeys, StoredKey, accepted};

type Micros = u64;

/// How old the keys may be.
const EVERY: Micros = 1_000_000;
/// How old they may be when a token names a key that is not among them.
const EVERY_UNKNOWN: Micros = 200_000;
/// Age above which a verification waits for the keys to be read.
const IDLE: Micros = 60_000_000;
/// How long reading may take; a request waits for it.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often they are read when no token comes: a node that only issues tokens must not sign with a
/// key that was dropped.
const BEAT: Duration = Duration::from_secs(30);

/// Where the keys come from.
pub(super) struct Watch {
    keys: SigningKeys,
    /// When they were read, in microseconds of the clock.
    read_at: AtomicI64,
    turn: Mutex<Turn>,
}

/// State of the task that reads the keys.
#[derive(Default)]
struct Turn {
    /// What was read last.
    rows: Vec<StoredKey>,
    /// What is in use; nothing was read when there is none.
    used: Option<Vec<StoredKey>>,
    /// Whether the log knows that they cannot be read.
    told: bool,
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
    /// Takes the keys that this table tells from now on, and follows it. [`load`](Self::load) reads
    /// it for the first time.
    #[must_use]
    pub fn follow(mut self, keys: SigningKeys) -> Self {
        self.watch = Some(Watch::new(keys));
        self
    }

    /// Reads the keys now, whatever their age. At start: keys of another seed must not be found out
    /// by the first caller.
    ///
    /// # Errors
    ///
    /// They cannot be read, or were not made from this seed. Those in use stay.
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

    /// Reads the keys twice a minute for as long as these tokens exist, whether tokens come or not.
    /// Call it in a runtime.
    pub fn keep_fresh(self: &Arc<Self>) {
        let tokens = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
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
    /// The first rule it breaks: for the log, not for the client.
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
            && watch.is_older(EVERY, now)
        {
            Box::pin(self.catch_up(watch, now)).await;
        }
    }

    async fn catch_up(&self, watch: &Watch, now: Timestamp) {
        let mut turn = match watch.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) if !watch.is_older(IDLE, now) => return,
            Err(_) => watch.turn.lock().await,
        };
        if watch.is_older(EVERY, self.clock.now()) {
            self.read_and_tell(watch, &mut turn).await;
        }
    }

    async fn check_again(&self, watch: &Watch, token: &str) -> Result<Arc<Claims>, Rejected> {
        {
            let mut turn = watch.turn.lock().await;
            if watch.is_older(EVERY_UNKNOWN, self.clock.now()) {
                self.read_and_tell(watch, &mut turn).await;
            }
        }
        self.verify(token)
    }

    async fn read_and_tell(&self, watch: &Watch, turn: &mut Turn) {
        match self.read(watch, turn).await {
            Ok(()) if turn.told => {
                turn.told = false;
                tracing::info!("the signing keys can be read again");
            }
            Ok(()) => {}
            Err(error) if !turn.told => {
                turn.told = true;
                tracing::error!(%error, "the signing keys cannot be read; those in use stay");
            }
            Err(_) => {}
        }
    }

    async fn read(&self, watch: &Watch, turn: &mut Turn) -> Result<(), KeyError> {
        let read = tokio::time::timeout(PATIENCE, watch.keys.list()).await;
        let now = self.clock.now();
        let read = read
            .unwrap_or(Err(KeyError::Slow))
            .map(|rows| turn.rows = rows);
        // Even when nothing could be read: the time of a retired key goes on.
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
