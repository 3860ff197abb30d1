//! Settings of the database.

use std::time::Duration;

use doyen_core::Secret;
use doyen_data::{DatabaseOptions, Pooler, Synchronous};
use doyen_settings::Settings;

/// The database.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct DatabaseSettings {
    /// Database URL: `sqlite://path` or `postgres://user:password@host/name`.
    #[setting(default = "sqlite://data/app.db", env = "DATABASE_URL")]
    pub url: Secret<String>,
    /// Action for pending migrations at startup: `auto` applies them, `check` refuses to start,
    /// `off` ignores them. If not set, `check` in `prod` and `auto` otherwise.
    pub migrate: Option<MigrateMode>,
    /// Maximum connections in the pool. On SQLite these are read connections; one write connection
    /// is added.
    #[setting(default = 10, min = 1, max = 1000)]
    pub max_connections: u32,
    /// Additional connections for typed reads on PostgreSQL. With 0, typed reads use the pool, on
    /// SQLite too.
    #[setting(default = 4, min = 0, max = 4)]
    pub read_connections: u32,
    /// Maximum wait for a free connection. The request then gets a 503.
    pub acquire_timeout: Option<Duration>,
    /// Maximum duration of one statement on PostgreSQL. A slower statement is cancelled.
    #[setting(default = "10s", min = "10ms")]
    pub statement_timeout: Duration,
    /// Maximum time that a statement waits for a lock. The statement then fails.
    #[setting(default = "2s", min = "10ms")]
    pub lock_timeout: Duration,
    /// Maximum time that a migration waits for a table lock on PostgreSQL. Then it is rolled back
    /// and tried again. Requests wait behind it: keep it below `acquire_timeout` and
    /// `lock_timeout`.
    #[setting(default = "500ms", min = "10ms")]
    pub migration_lock_timeout: Duration,
    /// Number of times that a migration is tried if it does not get a lock. The pause between two
    /// of them begins at 1 s and doubles, up to 30 s. After the last one the migration fails.
    #[setting(default = 10, min = 1, max = 100)]
    pub migration_lock_attempts: u32,
    /// Maximum duration of one statement of a migration in a transaction on PostgreSQL; `0s` for
    /// no limit. A slower statement is cancelled, and the migration fails.
    #[setting(default = "1h")]
    pub migration_statement_timeout: Duration,
    /// Version of the last migration that is not linted, for migrations from before the linter.
    /// With 0, all are linted.
    #[setting(default = 0, min = 0)]
    pub migration_lint_after: i64,
    /// Mode of the connection pooler in front of PostgreSQL, such as PgBouncer: `none`, `session`
    /// or `transaction`. With `transaction`, each statement runs in a transaction, and typed reads
    /// use the pool.
    #[setting(default = "none")]
    pub pooler: PoolerMode,
    /// URL of PostgreSQL for the connection that listens for wake-ups of other processes. If not
    /// set, `database.url`. With a pooler in transaction mode set it to the server itself; without
    /// it, workers find the work of other processes by polling.
    pub listen_url: Option<Secret<String>>,
    /// Durability on SQLite: `full` keeps every commit after a power failure; `normal` is faster
    /// but can lose the last commits.
    #[setting(default = "full")]
    pub synchronous: SynchronousMode,
}

/// Action for pending migrations at startup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum MigrateMode {
    /// Applies pending migrations.
    Auto,
    /// Refuses to start if migrations are pending.
    Check,
    /// Ignores pending migrations.
    Off,
}

/// Mode of a connection pooler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum PoolerMode {
    /// No pooler, or one that passes on all startup parameters.
    None,
    /// A connection keeps its server connection.
    Session,
    /// A connection has a server connection for each transaction.
    Transaction,
}

/// Durability of a commit on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum SynchronousMode {
    /// Commits survive a power failure.
    Full,
    /// Commits survive a killed process.
    Normal,
}

impl DatabaseSettings {
    pub(crate) fn options(&self) -> DatabaseOptions {
        let mut options = DatabaseOptions::new(self.url.expose().clone());
        options.max_connections = self.max_connections;
        options.read_connections = self.read_connections;
        options.acquire_timeout = self.acquire_timeout.unwrap_or(options.acquire_timeout);
        options.statement_timeout = self.statement_timeout;
        options.lock_timeout = self.lock_timeout;
        options.migration_lock_timeout = self.migration_lock_timeout;
        options.migration_lock_attempts = self.migration_lock_attempts;
        options.migration_statement_timeout = self.migration_statement_timeout;
        options.pooler = match self.pooler {
            PoolerMode::None => Pooler::None,
            PoolerMode::Session => Pooler::Session,
            PoolerMode::Transaction => Pooler::Transaction,
        };
        options.listen_url = self.listen_url.as_ref().map(|url| url.expose().clone());
        options.synchronous = match self.synchronous {
            SynchronousMode::Full => Synchronous::Full,
            SynchronousMode::Normal => Synchronous::Normal,
        };
        options
    }

    pub(crate) fn mode(&self, prod: bool) -> MigrateMode {
        self.migrate.unwrap_or(if prod {
            MigrateMode::Check
        } else {
            MigrateMode::Auto
        })
    }
}
