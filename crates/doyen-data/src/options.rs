//! Options of a database.

use std::time::Duration;

/// URL, limits and timeouts of a [`Database`](crate::Database).
///
/// ```
/// use doyen_data::DatabaseOptions;
///
/// let options = DatabaseOptions {
///     max_connections: 20,
///     ..DatabaseOptions::new("sqlite://data/shop.db")
/// };
/// assert_eq!(options.max_connections, 20);
/// ```
#[derive(Clone)]
pub struct DatabaseOptions {
    /// `sqlite://data/shop.db` (relative), `sqlite:///var/lib/shop.db` (absolute), or
    /// `postgres://user:password@host/database`.
    ///
    /// By default, PostgreSQL connections use no TLS over loopback or a Unix socket, and TLS
    /// elsewhere if the server supports it. `?sslmode=require` and `verify-full` enforce TLS.
    pub url: String,
    /// Maximum number of connections. Default: 10. On SQLite it counts the readers; there is always
    /// one writer.
    pub max_connections: u32,
    /// Maximum number of additional connections for typed reads such as
    /// [`Session::get`](crate::Session::get). Default: 4, and at most 4 on PostgreSQL; on SQLite
    /// there are as many as readers. With 0, typed reads use the pool.
    pub read_connections: u32,
    /// Minimum number of idle connections to keep open. Default: 0.
    pub min_connections: u32,
    /// Maximum wait for a connection; then the request gets a 503. Default: 1 s on PostgreSQL, 5 s
    /// on SQLite, where writers queue.
    pub acquire_timeout: Duration,
    /// Maximum age of a connection. Default: 30 minutes.
    pub max_lifetime: Duration,
    /// Idle time after which a connection is closed. Default: 10 minutes.
    pub idle_timeout: Duration,
    /// Timeout of a statement. Default: 10 s.
    pub statement_timeout: Duration,
    /// Maximum wait of a statement for a row or table lock (PostgreSQL). Default: 2 s.
    pub lock_timeout: Duration,
    /// Maximum wait of a migration for a table lock (PostgreSQL). Then it is rolled back and tried
    /// again. Requests wait behind it, so it is below `acquire_timeout`. Default: 500 ms.
    pub migration_lock_timeout: Duration,
    /// Number of times that a migration is tried if it does not get a lock (PostgreSQL). The pause
    /// between them begins at 1 s and doubles, up to 30 s. Default: 10.
    pub migration_lock_attempts: u32,
    /// Timeout of a statement of a migration in a transaction (PostgreSQL); 0 for none. Default:
    /// 1 hour.
    pub migration_statement_timeout: Duration,
    /// The connection pooler between the application and PostgreSQL. Default: [`Pooler::None`].
    pub pooler: Pooler,
    /// URL of the connection that listens for wake-ups of other processes (PostgreSQL). Default:
    /// none, then `url`. A pooler in transaction mode needs it: it does not pass on `LISTEN`.
    pub listen_url: Option<String>,
    /// When a commit counts as durable (SQLite). Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// Maximum wait for another process that writes to the same file (SQLite). Default: 5 s.
    pub busy_timeout: Duration,
}

/// A connection pooler in front of PostgreSQL, such as PgBouncer, by its mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooler {
    /// The server itself, or a pooler that passes on all startup parameters.
    #[default]
    None,
    /// A connection keeps its server connection: `pool_mode = session`.
    Session,
    /// A connection has a server connection for a transaction: `pool_mode = transaction`. Each
    /// statement runs in a transaction, and no statement stays prepared, so that a read takes four
    /// round trips instead of one.
    Transaction,
}

/// When SQLite reports a commit as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// After the data is on the disk. Committed data survives a power failure.
    #[default]
    Full,
    /// After the data is passed to the operating system: about twice as many inserts per second.
    /// The last commits may be lost in a power failure, but not if the process is killed.
    Normal,
}

impl DatabaseOptions {
    /// Creates options with the defaults for this URL.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        let patience = if url.starts_with("sqlite:") { 5 } else { 1 };
        Self {
            url,
            max_connections: 10,
            read_connections: 4,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(patience),
            max_lifetime: Duration::from_secs(30 * 60),
            idle_timeout: Duration::from_secs(10 * 60),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(2),
            migration_lock_timeout: Duration::from_millis(500),
            migration_lock_attempts: 10,
            migration_statement_timeout: Duration::from_secs(60 * 60),
            pooler: Pooler::None,
            listen_url: None,
            synchronous: Synchronous::Full,
            busy_timeout: Duration::from_secs(5),
        }
    }

    /// Returns the URL with a masked password, for logs.
    pub fn masked_url(&self) -> String {
        doyen_core::mask(&self.url)
    }
}

impl std::fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("url", &self.masked_url())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", DatabaseOptions::new("postgres://me:s3cret@db/shop"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    /// All statements on a table wait behind a migration that waits for its lock.
    #[test]
    fn requests_outlast_a_migration_that_waits_for_a_lock() {
        let options = DatabaseOptions::new("postgres://db/shop");
        let longest = options.migration_lock_timeout * 2;
        assert!(longest <= options.acquire_timeout.min(options.lock_timeout));
    }
}
