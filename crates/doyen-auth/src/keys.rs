//! The table of the signing keys in use. All nodes share it, and it contains no secret.
//!
//! ```text
//!  next ──rotate──▶ current ──rotate──▶ retired ──a day──▶ dropped
//!  published        signs               accepted           refused
//! ```
//!
//! A row has the number of a key, its algorithm and its name. Each node derives the key itself from
//! the seed, so the database alone does not allow signing. A row whose name does not match the
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

/// Maximum time that caches keep the public keys: `max-age` of the key set.
pub const KEY_SET_MAX_AGE: Duration = Duration::from_secs(300);

/// Minimum time between the publication of a key and its first signature: the time of caches, and
/// some seconds for nodes that read the table late.
const MIN_PUBLISHED: Duration = Duration::from_secs(KEY_SET_MAX_AGE.as_secs() + 10);

/// Time for which a retired key is accepted: the longest lifetime of a token, and a minute for a
/// node that still signs with it because it could not read the table.
const RETIRED_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60 + 60);

/// The signing keys of an application, in the database that its nodes share.
#[derive(Clone)]
pub struct SigningKeys {
    database: Database,
    keys: KeyDeriver,
    algorithm: Algorithm,
    clock: Arc<dyn Clock>,
}

/// The result of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signs from now on.
    pub current: StoredKey,
    /// The key that signed until now; it is still accepted.
    pub retired: StoredKey,
    /// The key that is published from now on; it signs after the next rotation.
    pub next: StoredKey,
}

impl SigningKeys {
    /// Reads and writes the keys of this seed in this database. New keys have this algorithm;
    /// existing ones keep theirs.
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

    /// Returns every key of the table, the oldest first. The table is empty before
    /// [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// Returns an error if the table cannot be read.
    pub async fn list(&self) -> Result<Vec<StoredKey>, KeyError> {
        table::read(&self.database.session(Access::Read)).await
    }

    /// Creates the first two keys, the signing one and the next one, if there are none. Nodes that
    /// start at the same time write the same rows.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn begin(&self) -> Result<(), KeyError> {
        if !self.list().await?.is_empty() {
            return Ok(());
        }
        let session = self.database.session(Access::Write);
        let done = self.write_two(&session, 0).await;
        finish(&session, done).await
    }

    /// Signs with the next key, retires the key that signed, and publishes a new next key.
    ///
    /// Without `early`, a next key is refused if it was published so recently that caches of the
    /// key set may not have it. Of two concurrent rotations one is refused.
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
        let usable = current.created_at + MIN_PUBLISHED;
        if now < usable && !early {
            return Err(KeyError::TooEarly {
                number: current.number,
                usable,
            });
        }
        // Each change states the expected state, so a concurrent rotation leaves nothing to change.
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

    /// Refuses a retired key from now on, instead of at the end of its time.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no retired key of this number, or if the database fails.
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
    /// The numbers continue, so that the same seed does not produce an old key again.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
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

    /// The ring before any row is written: the first key signs, the second is next. All nodes with
    /// this seed have the same ring.
    pub(crate) fn first_ring(&self) -> Result<KeyRing, KeyError> {
        Ok(KeyRing::first(&self.keys, self.algorithm)?.and(&self.keys, self.algorithm, 2)?)
    }

    /// Creates the ring of these keys. The first one must be the current one.
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

/// Returns the published and accepted keys: the current one, the next one, then the retired ones
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

/// Commits or rolls back.
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
