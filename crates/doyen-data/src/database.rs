//! The database of an application.

use std::sync::{Arc, Weak};
use std::time::Duration;

use doyen_core::Access;
use sea_orm::{ConnAcquireErr, DbBackend, DbErr};

use crate::background::BackgroundTask;
use crate::connection::ConnectOptions;
use crate::fast_read::FastReader;
use crate::keyset::CursorKey;
use crate::pool::{Pool, PoolOptions};
use crate::probe::Probe;
use crate::transaction_counts::{Ending, Endings};
use crate::wake::WakeCenter;
use crate::{ConnectError, DatabaseOptions, PoolStatus, Session, TransactionCounts};

/// Idle time after which a connection is pinged before use. A ping costs a third of a small query.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);

/// Minimum wait for a connection at startup, when the server may be starting too.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(3);

/// Interval between two updates of the planner statistics of SQLite.
const OPTIMIZE_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// The database of an application. Cheap to clone. Requests use it through a [`Session`].
///
/// ```no_run
/// use doyen_data::{Database, DatabaseOptions};
///
/// # async fn start() -> Result<(), doyen_data::ConnectError> {
/// let database = Database::connect(&DatabaseOptions::new("sqlite://data/shop.db")).await?;
/// # Ok(()) }
/// ```
///
/// SQLite: one file in WAL mode, with one writer connection and several read-only ones. Writers
/// wait in a queue, not in a busy loop. PostgreSQL: one pool whose connections are read-only until
/// a transaction begins.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    read_pool: Pool,
    // The same pool as `read_pool` on PostgreSQL.
    write_pool: Pool,
    // Typed reads outside of transactions.
    fast_reader: Option<Arc<FastReader>>,
    probe: Arc<Probe>,
    // Updates the planner statistics.
    optimizer: BackgroundTask,
    wake: Arc<WakeCenter>,
    options: DatabaseOptions,
    cursor_key: CursorKey,
    endings: Arc<Endings>,
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
    /// Returns a [`ConnectError`] that says what is wrong and what to do, without the password.
    pub async fn connect(options: &DatabaseOptions) -> Result<Self, ConnectError> {
        let database = Self::new(options)?;
        database.open().await?;
        Ok(database)
    }

    /// Creates a database that is not opened yet: it creates no file and no connection. Call it in
    /// a tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is invalid, or if its database is not compiled in.
    pub fn new(options: &DatabaseOptions) -> Result<Self, ConnectError> {
        let connect_error = |what: &str| ConnectError::new(options.masked_url(), what);
        crate::url::check(&options.url).map_err(|what| connect_error(&what))?;
        let scheme = options.url.split_once(':').map_or("", |(scheme, _)| scheme);
        let (read_pool, write_pool, fast_reader, probe) = match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => crate::open::sqlite(options)?,
            #[cfg(not(feature = "sqlite"))]
            "sqlite" => {
                return Err(connect_error(
                    "this program was built without SQLite. Add the feature `sqlite` of `doyen`, or use a `postgres://` URL",
                ));
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => crate::open::postgres(options)?,
            #[cfg(not(feature = "postgres"))]
            "postgres" | "postgresql" => {
                return Err(connect_error(
                    "this program was built without PostgreSQL. Add the feature `postgres` of `doyen`, or use a `sqlite://` URL",
                ));
            }
            _ => {
                return Err(connect_error(
                    "the URL must begin with `sqlite://` or `postgres://`",
                ));
            }
        };
        Ok(Self(Arc::new(Inner {
            read_pool,
            write_pool,
            fast_reader: fast_reader.map(Arc::new),
            probe: Arc::new(probe),
            optimizer: BackgroundTask::default(),
            wake: Arc::new(WakeCenter::new()),
            options: options.clone(),
            cursor_key: CursorKey::random(),
            endings: Arc::default(),
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
        #[cfg(feature = "postgres")]
        self.check_pooler().await?;
        self.check_connections().await.map_err(|error| {
            let advice = crate::advice::advice(scheme, &error);
            ConnectError::new(options.masked_url(), advice).caused_by(error)
        })?;
        if self.backend() == DbBackend::Sqlite {
            let work = optimize_regularly(Arc::downgrade(&self.0));
            self.0.optimizer.start(work);
        }
        Ok(())
    }

    /// Updates the statistics of the query planner where they are missing or outdated.
    ///
    /// On SQLite this is `PRAGMA optimize`, with a limit on the rows that it reads. An application
    /// runs it at startup, after its migrations, and an open database every ten minutes. Call it
    /// after a large import. On PostgreSQL it does nothing: autovacuum keeps the statistics.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn optimize(&self) -> Result<(), DbErr> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(());
        }
        let mut lease = self.0.write_pool.acquire().await?;
        // 0x10000: tables that this connection has not queried, too.
        lease
            .run_sql("PRAGMA analysis_limit = 400; PRAGMA optimize = 0x10002")
            .await
    }

    /// Checks that the pooler is in the mode that the options say, before a `SET` on one of its
    /// server connections affects others.
    #[cfg(feature = "postgres")]
    async fn check_pooler(&self) -> Result<(), ConnectError> {
        let options = &self.0.options;
        let postgres = match self.connect_options() {
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(_) => return Ok(()),
            ConnectOptions::Postgres(postgres) => postgres,
        };
        if options.pooler != crate::Pooler::Session {
            return Ok(());
        }
        // An error here is reported by the first connection of the pool.
        let check = tokio::time::timeout(STARTUP_TIMEOUT, postgres.shares_server_connections());
        if !matches!(check.await, Ok(Ok(true))) {
            return Ok(());
        }
        let what = "the pooler gives two connections the same server connection. \
                    Set `database.pooler` to `transaction`, or the mode of the pooler to `session`";
        Err(ConnectError::new(options.masked_url(), what))
    }

    /// Connects the writer first: on SQLite it creates the file that the readers open.
    async fn check_connections(&self) -> Result<(), DbErr> {
        let timeout = self.0.options.acquire_timeout.max(STARTUP_TIMEOUT);
        drop(self.0.write_pool.acquire_within(timeout).await?);
        self.ping().await
    }

    /// Signs cursors with this key. By default a random key is created at startup, and cursors
    /// become invalid when the process ends.
    #[must_use]
    pub fn with_cursor_key(self, key: CursorKey) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            read_pool: inner.read_pool.clone(),
            write_pool: inner.write_pool.clone(),
            fast_reader: inner.fast_reader.clone(),
            probe: Arc::clone(&inner.probe),
            optimizer: BackgroundTask::default(),
            wake: Arc::clone(&inner.wake),
            options: inner.options.clone(),
            cursor_key: key,
            endings: Arc::clone(&inner.endings),
        }))
    }

    /// Returns the kind of the database.
    pub fn backend(&self) -> DbBackend {
        self.0.read_pool.connect_options().backend()
    }

    /// Creates a unit of work outside of a request. Commit it with [`Session::commit`].
    pub fn session(&self, access: Access) -> Session {
        Session::new(self.clone(), access)
    }

    /// Checks that the database can be used, on a connection that no request uses. On SQLite it
    /// also writes, at most once a second.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable, or full or corrupt: now, or when a
    /// statement ran within the last ten seconds.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.0.probe.run().await
    }

    /// Tells the readiness check about the error of a statement.
    pub(crate) fn observe(&self, error: &DbErr) {
        self.0.probe.observe(error);
    }

    /// Returns how the transactions so far ended.
    pub fn transactions(&self) -> TransactionCounts {
        self.0.endings.counts()
    }

    pub(crate) fn count_transaction(&self, ending: Ending) {
        self.0.endings.count(ending);
    }

    /// Returns the number of connections.
    pub fn pool(&self) -> PoolStatus {
        let (mut open, mut idle) = self.0.read_pool.size();
        let mut max = self.0.options.max_connections;
        if self.backend() == DbBackend::Sqlite {
            let writer = self.0.write_pool.size();
            (open, idle, max) = (open + writer.0, idle + writer.1, max + 1);
        }
        if let Some(fast_reader) = &self.0.fast_reader {
            let reads = fast_reader.size();
            (open, idle, max) = (open + reads.open, idle + reads.idle, max + reads.max);
        }
        PoolStatus { open, idle, max }
    }

    /// Closes all connections. Those in use are closed when they are returned.
    pub async fn close(&self) {
        self.0.wake.close();
        if let Some(fast_reader) = &self.0.fast_reader {
            fast_reader.close().await;
        }
        self.0.read_pool.close().await;
        self.0.write_pool.close().await;
        self.0.probe.close().await;
    }

    /// Returns what is opened: the absolute path of the SQLite file, or user, host, port and name
    /// of the PostgreSQL database.
    pub fn target(&self) -> String {
        self.connect_options().target()
    }

    /// Returns the options that it was opened with.
    pub fn options(&self) -> &DatabaseOptions {
        &self.0.options
    }

    pub(crate) fn wake_center(&self) -> &WakeCenter {
        &self.0.wake
    }

    pub(crate) fn read_pool(&self) -> &Pool {
        &self.0.read_pool
    }

    pub(crate) fn fast_reader(&self) -> Option<&FastReader> {
        self.0.fast_reader.as_deref()
    }

    pub(crate) fn write_pool(&self) -> &Pool {
        &self.0.write_pool
    }

    pub(crate) fn connect_options(&self) -> &ConnectOptions {
        self.0.write_pool.connect_options()
    }

    pub(crate) fn cursor_key(&self) -> &CursorKey {
        &self.0.cursor_key
    }
}

/// Updates the planner statistics until the database is closed. Tables grow while a service runs.
async fn optimize_regularly(database: Weak<Inner>) {
    loop {
        tokio::time::sleep(OPTIMIZE_INTERVAL).await;
        let Some(inner) = database.upgrade() else {
            return;
        };
        match Database(inner).optimize().await {
            Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)) => return,
            Err(error) => tracing::warn!(%error, "the planner statistics were not updated"),
            Ok(()) => {}
        }
    }
}

/// Returns the options of one pool.
pub(crate) fn pool_options(
    options: &DatabaseOptions,
    max: u32,
    response_timeout: Duration,
) -> PoolOptions {
    PoolOptions {
        max_connections: max,
        min_connections: options.min_connections.min(max),
        acquire_timeout: options.acquire_timeout,
        max_lifetime: options.max_lifetime,
        idle_timeout: options.idle_timeout,
        ping_after_idle: PING_AFTER_IDLE,
        response_timeout,
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
