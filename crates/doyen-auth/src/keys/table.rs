//! The table of the keys: numbers, names and times. It contains no secret.

use std::fmt;

use doyen_core::Timestamp;
use doyen_data::sea_orm::prelude::DateTimeUtc;
use doyen_data::sea_orm::{ConnectionTrait as _, QueryResult, Statement};
use doyen_data::{Migration, Migrations, Session};

use super::{KeyError, RETIRED_LIFETIME};
use crate::Algorithm;

/// State of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published; signs after the next rotation.
    Next,
    /// Signs.
    Current,
    /// Retired; its tokens are valid until they expire.
    Retired,
    /// No longer accepted.
    Dropped,
}

impl KeyState {
    const ALL: [KeyState; 4] = [
        KeyState::Next,
        KeyState::Current,
        KeyState::Retired,
        KeyState::Dropped,
    ];

    /// Its text in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyState::Next => "next",
            KeyState::Current => "current",
            KeyState::Retired => "retired",
            KeyState::Dropped => "dropped",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Number, from 1.
    pub number: u32,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// Name in tokens and in the key set.
    pub kid: String,
    /// State.
    pub state: KeyState,
    /// Time of publication.
    pub created_at: Timestamp,
    /// Time from which it signs.
    pub promoted_at: Option<Timestamp>,
    /// Time of its retirement.
    pub retired_at: Option<Timestamp>,
}

impl StoredKey {
    /// Returns the time until which a retired key is accepted.
    pub fn accepted_until(&self) -> Option<Timestamp> {
        match self.state {
            KeyState::Retired => self.retired_at.map(|at| at + RETIRED_LIFETIME),
            _ => None,
        }
    }

    /// True if its tokens are accepted at this time.
    pub fn is_accepted(&self, now: Timestamp) -> bool {
        match self.state {
            KeyState::Next | KeyState::Current => true,
            KeyState::Retired => self.accepted_until().is_some_and(|end| now < end),
            KeyState::Dropped => false,
        }
    }
}

const READ: &str = "SELECT n, algorithm, kid, state, created_at, promoted_at, retired_at FROM doyen_signing_keys ORDER BY n";

/// Returns every row.
pub(super) async fn read(session: &Session) -> Result<Vec<StoredKey>, KeyError> {
    let statement = Statement::from_string(session.backend(), READ);
    let rows = session.query_all_raw(statement).await?;
    rows.iter().map(key).collect()
}

fn key(row: &QueryResult) -> Result<StoredKey, KeyError> {
    let unreadable = |column| KeyError::Unreadable { column };
    let time = |at: DateTimeUtc| Timestamp::from(at);
    let optional = |at: Option<DateTimeUtc>| at.map(time);
    let algorithm: String = row.try_get("", "algorithm")?;
    let state: String = row.try_get("", "state")?;
    let number: i32 = row.try_get("", "n")?;
    Ok(StoredKey {
        number: number.try_into().map_err(|_| unreadable("n"))?,
        algorithm: Algorithm::parse(&algorithm).ok_or_else(|| unreadable("algorithm"))?,
        kid: row.try_get("", "kid")?,
        state: KeyState::ALL
            .into_iter()
            .find(|known| known.as_str() == state)
            .ok_or_else(|| unreadable("state"))?,
        created_at: time(row.try_get("", "created_at")?),
        promoted_at: optional(row.try_get("", "promoted_at")?),
        retired_at: optional(row.try_get("", "retired_at")?),
    })
}

/// Inserts a key. Returns false if it exists, or another one in its state.
pub(super) async fn insert(session: &Session, key: &StoredKey) -> Result<bool, KeyError> {
    let sql = "INSERT INTO doyen_signing_keys (n, algorithm, kid, state, created_at, promoted_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = [
        number(key)?.into(),
        key.algorithm.as_str().into(),
        key.kid.as_str().into(),
        key.state.as_str().into(),
        DateTimeUtc::from(key.created_at).into(),
        key.promoted_at.map(DateTimeUtc::from).into(),
    ];
    Ok(session.execute_sql(sql, values).await? == 1)
}

/// Changes the state of a key, if it still has the expected one.
pub(super) async fn change(
    session: &Session,
    key: &mut StoredKey,
    state: KeyState,
    now: Timestamp,
) -> Result<(), KeyError> {
    let from = std::mem::replace(&mut key.state, state);
    match state {
        KeyState::Current => key.promoted_at = Some(now),
        KeyState::Retired => key.retired_at = Some(now),
        KeyState::Dropped => key.retired_at = key.retired_at.or(Some(now)),
        KeyState::Next => {}
    }
    let sql = "UPDATE doyen_signing_keys SET state = $1, promoted_at = $2, retired_at = $3 WHERE n = $4 AND state = $5";
    let values = [
        state.as_str().into(),
        key.promoted_at.map(DateTimeUtc::from).into(),
        key.retired_at.map(DateTimeUtc::from).into(),
        number(key)?.into(),
        from.as_str().into(),
    ];
    match session.execute_sql(sql, values).await? {
        1 => Ok(()),
        _ => Err(KeyError::Meanwhile),
    }
}

fn number(key: &StoredKey) -> Result<i32, KeyError> {
    i32::try_from(key.number).map_err(|_| KeyError::Unreadable { column: "n" })
}

/// The tables of this crate: give them to the migrator as `keys`.
pub const KEY_TABLES: Migrations = Migrations {
    folder: None,
    sqlite: &[Migration {
        version: 1,
        name: "signing_keys",
        up: "CREATE TABLE doyen_signing_keys (
    n integer PRIMARY KEY NOT NULL CHECK (n > 0),
    algorithm text NOT NULL,
    kid text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('next', 'current', 'retired', 'dropped')),
    created_at text NOT NULL,
    promoted_at text,
    retired_at text
) STRICT;
CREATE UNIQUE INDEX doyen_signing_keys_one ON doyen_signing_keys (state) WHERE state IN ('next', 'current');",
        down: "DROP TABLE doyen_signing_keys;",
    }],
    postgres: &[Migration {
        version: 1,
        name: "signing_keys",
        up: "CREATE TABLE doyen_signing_keys (
    n integer PRIMARY KEY CHECK (n > 0),
    algorithm text NOT NULL,
    kid text NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('next', 'current', 'retired', 'dropped')),
    created_at timestamptz NOT NULL,
    promoted_at timestamptz,
    retired_at timestamptz
);
CREATE UNIQUE INDEX doyen_signing_keys_one ON doyen_signing_keys (state) WHERE state IN ('next', 'current');",
        down: "DROP TABLE doyen_signing_keys;",
    }],
};
