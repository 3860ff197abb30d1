//! Which keys are in use: a table that all nodes share, and that holds no secret.
//!
//! ```text
//!  next ──rotate──▶ current ──rotate──▶ retired ──a day──▶ dropped
//!  published        signs               accepted           refused
//! ```
//!
//! A row has the number of a key, its algorithm and its name. The key itself is derived from the
//! seed by each node, so who reads the database can sign nothing. A row whose name does not fit the
//! derived key was written by a node with another seed.

mod error;
mod table;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use doyen_core::{Access, Clock, Timestamp};
use doyen_data::{Database, Session};

pub use error::KeyError;
pub use table::{KEY_TABLES, KeyState, StoredKey};

use crate::keyring::kid_of;
use doyen_secret::KeyDeriver;

use crate::{Algorithm, KeyRing};

/// How long caches may keep the public keys: `max-age` of the key set.
pub const KEY_SET_MAX_AGE: Duration = Duration::from_secs(300);

/// How long a key must have been published before it signs: what caches may keep, and some seconds
/// for nodes that learn of it late.
const PUBLISHED_FOR: Duration = Duration::from_secs(KEY_SET_MAX_AGE.as_secs() + 10);

/// How long a key is accepted after it signed last: the longest lifetime of a token, and a minute
/// for a node that signs with it a little longer because it could not read the table.
const RETIRED_FOR: Duration = Duration::from_secs(24 * 60 * 60 + 60);

/// The keys of an application, in the database it shares with its other nodes.
#[derive(Clone)]
pub struct SigningKeys {
    database: Database,
    keys: KeyDeriver,
    algorithm: Algorithm,
    clock: Arc<dyn Clock>,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Signs from now on.
    pub current: StoredKey,
    /// Signed until now; still accepted.
    pub retired: StoredKey,
    /// Published from now on; signs after the next rotation.
    pub next: StoredKey,
}

impl SigningKeys {
    /// The keys of this seed, as the table of this database tells. New keys are made for this
    /// algorithm; those that are there keep theirs.
    pub fn new(
        database: Database,
        keys: KeyDeriver,
        algorithm: Algorithm,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            database,
            keys,
            algorithm,
            clock,
        }
    }

    /// Every key there ever was, the oldest first. Empty before [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn list(&self) -> Result<Vec<StoredKey>, KeyError> {
        table::read(&self.database.session(Access::Read)).await
    }

    /// Writes the first two keys, one to sign and the next one, when there are none. Nodes that
    /// start at once write the same.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn begin(&self) -> Result<(), KeyError> {
        if !self.list().await?.is_empty() {
            return Ok(());
        }
        let session = self.database.session(Access::Write);
        let done = self.write_two(&session, 0).await;
        finish(&session, done).await
    }

    /// Makes the next key the one that signs, retires the one that signed, and publishes a new next
    /// one.
    ///
    /// Without `early` it refuses a next key that was published so shortly ago that caches of the
    /// key set may not have it. Of two rotations at once one is refused.
    ///
    /// # Errors
    ///
    /// Returns an error if it is too early, if another process changed the keys at the same time,
    /// if the keys belong to another seed, or if the database fails.
    pub async fn rotate(&self, early: bool) -> Result<Rotation, KeyError> {
        self.begin().await?;
        let session = self.database.session(Access::Write);
        let done = self.rotate_in(&session, early).await;
        finish(&session, done).await
    }

    async fn rotate_in(&self, session: &Session, early: bool) -> Result<Rotation, KeyError> {
        let now = self.clock.now();
        let keys = table::read(session).await?;
        let find = |state| {
            let key = keys.iter().find(|key| key.state == state);
            key.cloned().ok_or(KeyError::Incomplete)
        };
        let (mut retired, mut current) = (find(KeyState::Current)?, find(KeyState::Next)?);
        self.is_ours(&retired)?;
        self.is_ours(&current)?;
        let usable = current.created_at + PUBLISHED_FOR;
        if now < usable && !early {
            return Err(KeyError::TooEarly {
                number: current.number,
                usable,
            });
        }
        // Each change says what it expects: where another rotation was faster, there is nothing to
        // change.
        table::change(session, &mut retired, KeyState::Retired, now).await?;
        table::change(session, &mut current, KeyState::Current, now).await?;
        for key in keys {
            if key.state == KeyState::Retired && !key.is_accepted(now) {
                table::change(session, &mut { key }, KeyState::Dropped, now).await?;
            }
        }
        let next = self.key(current.number + 1, KeyState::Next, now)?;
        if !table::insert(session, &next).await? {
            return Err(KeyError::Meanwhile);
        }
        Ok(Rotation {
            current,
            retired,
            next,
        })
    }

    /// Refuses a retired key from now on, instead of when its time is over.
    ///
    /// # Errors
    ///
    /// There is no retired key of this number, or the database's.
    pub async fn drop_retired(&self, number: u32) -> Result<StoredKey, KeyError> {
        let session = self.database.session(Access::Write);
        let done = async {
            let keys = table::read(&session).await?;
            let key = keys
                .into_iter()
                .find(|key| key.number == number && key.state == KeyState::Retired);
            let mut key = key.ok_or(KeyError::NotRetired { number })?;
            table::change(&session, &mut key, KeyState::Dropped, self.clock.now()).await?;
            Ok(key)
        };
        let done = done.await;
        finish(&session, done).await
    }

    /// Drops every key and creates two new ones: every token ends. Use it when the seed has leaked
    /// or was replaced.
    ///
    /// The numbers go on, so that the same seed does not bring an old key back.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn reset(&self) -> Result<StoredKey, KeyError> {
        let session = self.database.session(Access::Write);
        let done = async {
            let now = self.clock.now();
            let mut last = 0;
            for mut key in table::read(&session).await? {
                last = last.max(key.number);
                if key.state != KeyState::Dropped {
                    table::change(&session, &mut key, KeyState::Dropped, now).await?;
                }
            }
            self.write_two(&session, last).await?;
            self.key(last + 1, KeyState::Current, now)
        };
        let done = done.await;
        finish(&session, done).await
    }

    async fn write_two(&self, session: &Session, last: u32) -> Result<(), KeyError> {
        let now = self.clock.now();
        table::insert(session, &self.key(last + 1, KeyState::Current, now)?).await?;
        table::insert(session, &self.key(last + 2, KeyState::Next, now)?).await?;
        Ok(())
    }

    fn key(&self, number: u32, state: KeyState, now: Timestamp) -> Result<StoredKey, KeyError> {
        Ok(StoredKey {
            number,
            algorithm: self.algorithm,
            kid: kid_of(&self.keys, self.algorithm, number)?,
            state,
            created_at: now,
            promoted_at: (state == KeyState::Current).then_some(now),
            retired_at: None,
        })
    }

    /// The ring before anything is written: the first key signs, and the second one is next. All
    /// nodes with this seed have the same.
    pub(crate) fn first_ring(&self) -> Result<KeyRing, KeyError> {
        Ok(KeyRing::first(&self.keys, self.algorithm)?.and(&self.keys, self.algorithm, 2)?)
    }

    /// The ring of these keys. The first one must be the current one.
    pub(crate) fn ring(&self, accepted: &[StoredKey]) -> Result<KeyRing, KeyError> {
        let Some((current, others)) = accepted.split_first() else {
            return self.first_ring();
        };
        if current.state != KeyState::Current {
            return Err(KeyError::Incomplete);
        }
        accepted.iter().try_for_each(|key| self.is_ours(key))?;
        let mut ring = KeyRing::numbered(&self.keys, current.algorithm, current.number)?;
        for key in others {
            ring = ring.and(&self.keys, key.algorithm, key.number)?;
        }
        Ok(ring)
    }

    fn is_ours(&self, key: &StoredKey) -> Result<(), KeyError> {
        if kid_of(&self.keys, key.algorithm, key.number)? == key.kid {
            Ok(())
        } else {
            Err(KeyError::OtherSeed { number: key.number })
        }
    }
}

/// Those that are published and accepted now: the current one, the next one, then the retired ones
/// from the latest on.
pub(crate) fn accepted(keys: &[StoredKey], now: Timestamp) -> Vec<StoredKey> {
    let mut accepted: Vec<StoredKey> = keys
        .iter()
        .filter(|key| key.is_accepted(now))
        .cloned()
        .collect();
    accepted.sort_by_key(|key| {
        let place = match key.state {
            KeyState::Current => 0,
            KeyState::Next => 1,
            KeyState::Retired | KeyState::Dropped => 2,
        };
        (place, std::cmp::Reverse(key.number))
    });
    accepted
}

/// Commits what was done, or undoes it.
async fn finish<T>(session: &Session, done: Result<T, KeyError>) -> Result<T, KeyError> {
    match done {
        Ok(value) => {
            session.commit().await?;
            Ok(value)
        }
        Err(error) => {
            session.rollback().await;
            Err(error)
        }
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("database", &self.database)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
