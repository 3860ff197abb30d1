//! The database an application works with.

use std::sync::Arc;
use std::time::Duration;

use doyen_core::Access;
use sea_orm::{DbBackend, DbErr, Statement};

use crate::keyset::CursorKey;
use crate::link::{Ask, Recipe};
use crate::pool::{Limits, Pool};
use crate::read::Reader;
use crate::{ConnectError, DatabaseOptions, Session};

/// A ping before each use costs a third of a small query; a connection that was used a moment ago hardly ever died since.
const RESTED: Duration = Duration::from_secs(30);

/// How long a start waits for a server that may be starting too.
const START: Duration = Duration::from_secs(3);

/// A database: application-wide, cheap to clone. Requests use it through a [`Session`].
///
/// ```no_run
/// use doyen_data::{Database, DatabaseOptions};
///
/// # async fn start() -> Result<(), doyen_data::ConnectError> {
/// let database = Database::connect(&DatabaseOptions::new("sqlite://data/shop.db")).await?;
/// # Ok(()) }
/// ```
///
/// SQLite: one file in WAL mode, one connection that writes and several that only read; a write waits for its turn in a queue, not in a
/// busy loop. PostgreSQL: one pool, whose connections are read-only until a unit of work begins.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    reader: Pool,
    // The same pool on PostgreSQL.
    writer: Pool,
    // Reads of statements that stand alone, past the pool.
    straight: Option<Arc<Reader>>,
    options: DatabaseOptions,
    cursor_key: CursorKey,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Connections open.
    pub open: u32,
    /// How many of them nobody uses.
    pub idle: u32,
    /// The most there may be.
    pub max: u32,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("url", &self.0.options.masked_url())
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the database and sends it one query, so that a wrong setting is found at startup. The
    /// same as [`new`](Self::new) and [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] that says what is wrong and what to do; a password is never in it.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, ConnectError> {
        let database = Self::new(options)?;
        database.open().await?;
        Ok(database)
    }

    /// A database that is not opened yet: no file is created and no connection made. Call it in a
    /// tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is invalid, or if its database is not compiled in.
    pub fn new(options: &DatabaseOptions) -> Result<Self, ConnectError> {
        let refuse = |what: &str| ConnectError::new(options.masked_url(), what);
        let scheme = options.url.split_once(':').map_or("", |(scheme, _)| scheme);
        let (reader, writer, straight) = match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => crate::open::sqlite(options)?,
            #[cfg(not(feature = "sqlite"))]
            "sqlite" => {
                return Err(refuse(
                    "this program was built without SQLite. Add the feature `sqlite` of `doyen`, or use a `postgres://` URL",
                ));
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => crate::open::postgres(options)?,
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => {
                return Err(refuse(
                    "this program was built without PostgreSQL. Add the feature `postgres` of `doyen`, or use a `sqlite://` URL",
                ));
            }
            _ => {
                return Err(refuse(
                    "the URL must begin with `sqlite://` or `postgres://`",
                ));
            }
        };
        Ok(Self(Arc::new(Inner {
            reader,
            writer,
            straight: straight.map(Arc::new),
            options: options.clone(),
            cursor_key: CursorKey::random(),
        })))
    }

    /// Opens the database and sends it one query. A SQLite file is created, with its folder.
    ///
    /// # Errors
    ///
    /// A [`ConnectError`] that says what is wrong and what to do; a password is never in it.
    pub async fn open(&self) -> Result<(), ConnectError> {
        let options = &self.0.options;
        let scheme = options.url.split_once(':').map_or("", |(scheme, _)| scheme);
        #[cfg(feature = "sqlite")]
        if self.backend() == DbBackend::Sqlite {
            crate::open::create_folder(options)?;
        }
        self.first_contact().await.map_err(|error| {
            let advice = crate::open::advice(scheme, &error);
            ConnectError::new(options.masked_url(), advice).caused_by(error)
        })
    }

    /// The writer first: on SQLite it creates the file that the readers open.
    async fn first_contact(&self) -> Result<(), DbErr> {
        let patience = self.0.options.acquire_timeout.max(START);
        drop(self.0.writer.acquire_within(patience).await?);
        self.ping().await
    }

    /// Signs cursors with this key. Without it a random one is made at start, and cursors end with the process.
    #[must_use]
    pub fn with_cursor_key(self, key: CursorKey) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            reader: inner.reader.clone(),
            writer: inner.writer.clone(),
            straight: inner.straight.clone(),
            options: inner.options.clone(),
            cursor_key: key,
        }))
    }

    /// Which database this is.
    pub fn backend(&self) -> DbBackend {
        self.0.reader.recipe().backend()
    }

    /// A unit of work outside a request: nobody commits it but [`Session::commit`].
    pub fn session(&self, access: Access) -> Session {
        Session::new(self.clone(), access)
    }

    /// Asks the database one question: for a readiness check.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from answering.
    pub async fn ping(&self) -> Result<(), DbErr> {
        let mut lease = self.0.reader.acquire().await?;
        lease
            .run(&Ask::One(Statement::from_string(
                self.backend(),
                "SELECT 1",
            )))
            .await
            .map(drop)
    }

    /// How many connections are open.
    pub fn pool(&self) -> PoolStatus {
        let (mut open, mut idle) = self.0.reader.size();
        let mut max = self.0.options.max_connections;
        if self.backend() == DbBackend::Sqlite {
            let writer = self.0.writer.size();
            (open, idle, max) = (open + writer.0, idle + writer.1, max + 1);
        }
        if let Some(straight) = &self.0.straight {
            let beside = straight.size();
            (open, idle, max) = (open + beside.open, idle + beside.idle, max + beside.max);
        }
        PoolStatus { open, idle, max }
    }

    /// Closes all connections; those in use when they come back.
    pub async fn close(&self) {
        if let Some(straight) = &self.0.straight {
            straight.close().await;
        }
        self.0.reader.close().await;
        self.0.writer.close().await;
    }

    /// What it was opened with.
    pub fn options(&self) -> &DatabaseOptions {
        &self.0.options
    }

    pub(crate) fn reader(&self) -> &Pool {
        &self.0.reader
    }

    pub(crate) fn straight(&self) -> Option<&Reader> {
        self.0.straight.as_deref()
    }

    pub(crate) fn writer(&self) -> &Pool {
        &self.0.writer
    }

    pub(crate) fn recipe(&self) -> &Recipe {
        self.0.writer.recipe()
    }

    pub(crate) fn cursor_key(&self) -> &CursorKey {
        &self.0.cursor_key
    }
}

/// The limits of a pool with these options.
pub(crate) fn limits(options: &DatabaseOptions, max: u32, patience: Duration) -> Limits {
    Limits {
        max,
        min: options.min_connections.min(max),
        acquire: options.acquire_timeout,
        lifetime: options.max_lifetime,
        idle: options.idle_timeout,
        rested: RESTED,
        patience,
    }
}

#[cfg(all(test, not(all(feature = "sqlite", feature = "postgres"))))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_not_compiled_in_is_refused_by_its_feature() {
        let (url, feature) = if cfg!(feature = "sqlite") {
            ("postgres://me:s3cret@db/shop", "`postgres`")
        } else {
            ("sqlite://shop.db", "`sqlite`")
        };
        let error = Database::connect(&DatabaseOptions::new(url))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(feature) && !error.contains("s3cret"),
            "{error}"
        );
    }
}
