//! Errors of reading or changing the keys.

use std::fmt;

use doyen_core::{Timestamp, Unexpected};
use doyen_data::sea_orm::DbErr;

use crate::keyring::BadKey;

/// An error of reading or changing the keys. The message says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyError {
    /// A row was written by a node with another seed.
    OtherSeed {
        /// The number of the key.
        number: u32,
    },
    /// The next key was published too recently.
    TooEarly {
        /// The number of the key.
        number: u32,
        /// The time from which it may sign.
        usable: Timestamp,
    },
    /// Another process changed the keys at the same time; nothing was done.
    Meanwhile,
    /// There is no retired key of this number.
    NotRetired {
        /// The number.
        number: u32,
    },
    /// The table has no current or no next key.
    Incomplete,
    /// A row has an unknown value.
    Unreadable {
        /// The column.
        column: &'static str,
    },
    /// No key can be derived from the seed.
    Key(BadKey),
    /// The table cannot be read or written.
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// The table could not be read in time.
    Slow,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::OtherSeed { number } => write!(
                f,
                "key {number} in the database was not derived from this `auth.signing_key`. Set the one that it was derived from; or, if the change is \
                 intended, run `keys reset`: it ends every access token"
            ),
            KeyError::TooEarly { number, usable } => write!(
                f,
                "key {number} was published too recently: caches of the public keys may not have it before {usable}. Rotate then, or with \
                 `--force` now: a service with an old copy of the key set refuses new tokens until it fetches it again"
            ),
            KeyError::Meanwhile => f.write_str(
                "another process changed the keys at the same time; nothing was done. `keys list` shows how they are now",
            ),
            KeyError::NotRetired { number } => write!(
                f,
                "key {number} is not a retired one. To drop the key that signs, rotate first; `keys list` shows all"
            ),
            KeyError::Incomplete => f.write_str(
                "the table `doyen_signing_keys` has no current or no next key; `keys reset` creates new keys and ends every access token",
            ),
            KeyError::Unreadable { column } => write!(
                f,
                "the column `{column}` of `doyen_signing_keys` has a value that this version does not know"
            ),
            KeyError::Key(error) => write!(f, "no key can be derived from `auth.signing_key`: {error}"),
            KeyError::Database(error) => write!(
                f,
                "the table `doyen_signing_keys` cannot be read or written ({error}). `migrate up` creates it"
            ),
            KeyError::Slow => f.write_str("the table `doyen_signing_keys` could not be read in time"),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KeyError::Key(error) => Some(error),
            KeyError::Database(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<BadKey> for KeyError {
    fn from(error: BadKey) -> Self {
        KeyError::Key(error)
    }
}

impl From<DbErr> for KeyError {
    fn from(error: DbErr) -> Self {
        KeyError::Database(Box::new(error))
    }
}

impl From<Unexpected> for KeyError {
    fn from(error: Unexpected) -> Self {
        KeyError::Database(error.error().to_string().into())
    }
}
