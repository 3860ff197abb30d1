//! The applied migrations, and the connection that reads and applies them.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{self, SHA256};
use doyen_core::Timestamp;
use sea_orm::{DbBackend, DbErr, QueryResult, RuntimeErr, Statement, Value};

use super::lock_wait::Holder;
use super::unfinished::Unfinished;
use super::{Migration, schema};
use crate::connection::{Connection, Outcome, SqlStatement};
use crate::{Database, Pooler};

/// Key of the advisory lock. It must not change. Advisory locks of PostgreSQL belong to one
/// database.
pub(super) const LOCK: i64 = 0x646f_7965_6e01;

/// Pause between two attempts to begin on SQLite.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

const TABLE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS doyen_migrations (
    owner text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at bigint NOT NULL,
    PRIMARY KEY (owner, version)
)",
    "SELECT owner, version, name, checksum, applied_at FROM doyen_migrations ORDER BY owner, version",
];

pub(super) struct Applied {
    pub(super) owner: String,
    pub(super) version: i64,
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) at: Timestamp,
}

/// Returns the checksum of the SQL that applies a migration. The SQL that reverts it may be
/// corrected later.
pub(super) fn checksum(migration: &Migration) -> String {
    // Line endings depend on the version control.
    let up = migration.up.replace("\r\n", "\n");
    hex(digest::digest(&SHA256, up.as_bytes()).as_ref())
}

/// Returns the checksum of the versions and checksums of all these, in this order.
pub(super) fn fingerprint<'a>(migrations: impl Iterator<Item = &'a Migration>) -> String {
    let mut hash = digest::Context::new(&SHA256);
    for migration in migrations {
        hash.update(&migration.version.to_be_bytes());
        hash.update(checksum(migration).as_bytes());
    }
    hex(hash.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// A connection outside the pools: its settings and locks end with it.
pub(crate) struct History {
    connection: Connection,
    pub(crate) backend: DbBackend,
    pub(super) pooler: Pooler,
    /// Who held the lock that the last script waited for.
    pub(super) holder: Option<Holder>,
    lock_timeout: Duration,
    statement_timeout: Duration,
}

/// Returns true if another connection writes to the SQLite file.
fn is_busy(error: &DbErr) -> bool {
    let code = crate::error::code(error).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

impl History {
    pub(crate) async fn open(database: &Database) -> Result<Self, DbErr> {
        let backend = database.backend();
        let connection = database
            .connect_options()
            .connect()
            .await
            .map_err(|error| {
                let error = crate::error::with_sql(error, "");
                DbErr::Conn(RuntimeErr::SqlxError(error.into()))
            })?;
        let options = database.options();
        Ok(Self {
            connection,
            backend,
            pooler: options.pooler,
            holder: None,
            lock_timeout: options.migration_lock_timeout,
            statement_timeout: options.migration_statement_timeout,
        })
    }

    pub(super) fn postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    pub(crate) async fn close(self) {
        self.connection.close().await;
    }

    /// Creates the table of applied migrations. Returns the unfinished ones: those that no other
    /// process is applying now, because that process would hold the lock.
    pub(super) async fn prepare(&mut self) -> Result<Vec<Unfinished>, DbErr> {
        self.begin().await?;
        self.run_sql(TABLE[0]).await?;
        let unfinished = self.unfinished().await?;
        self.run_sql("COMMIT").await?;
        Ok(unfinished)
    }

    /// Returns true if the database has this table.
    pub(super) async fn has_table(&mut self, name: &str) -> Result<bool, DbErr> {
        let there = if self.postgres() {
            "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass($1)"
        } else {
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1"
        };
        Ok(!self.rows(there, vec![name.into()]).await?.is_empty())
    }

    /// Begins a transaction and waits for other processes that migrate.
    pub(super) async fn begin(&mut self) -> Result<(), DbErr> {
        if !self.postgres() {
            self.run_sql("PRAGMA foreign_keys = OFF").await?;
            return self.begin_sqlite().await;
        }
        // Another process may migrate for long, and waiting for it affects nothing else.
        self.run_sql(
            "BEGIN READ WRITE; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0",
        )
        .await?;
        self.run_sql(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
            .await?;
        let (locks, statements) = (
            self.lock_timeout.as_millis(),
            self.statement_timeout.as_millis(),
        );
        self.run_sql(&format!(
            "SET LOCAL lock_timeout = {locks}; SET LOCAL statement_timeout = {statements}"
        ))
        .await
    }

    /// Sets the limit on waiting for locks, for statements outside of a transaction. One that runs
    /// `CONCURRENTLY` has none: it waits for old transactions, and nothing waits for it.
    pub(super) async fn limit_waiting(&mut self, is_concurrent: bool) -> Result<(), DbErr> {
        let millis = match is_concurrent {
            true => 0,
            false => self.lock_timeout.as_millis(),
        };
        self.run_sql(&format!("SET lock_timeout = {millis}")).await
    }

    /// SQLite gives up after its busy timeout; a migration of another process may take longer.
    async fn begin_sqlite(&mut self) -> Result<(), DbErr> {
        let mut waits = false;
        loop {
            match self.run_sql("BEGIN IMMEDIATE").await {
                Err(error) if is_busy(&error) => {
                    if !std::mem::replace(&mut waits, true) {
                        tracing::info!("waiting for another process that writes to the database");
                    }
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    pub(super) async fn applied(&mut self) -> Result<Vec<Applied>, DbErr> {
        self.begin_read().await?;
        let applied = self.read_applied().await;
        self.end_read().await?;
        applied
    }

    async fn read_applied(&mut self) -> Result<Vec<Applied>, DbErr> {
        if !self.has_table("doyen_migrations").await? {
            return Ok(Vec::new());
        }
        let rows = self.rows(TABLE[1], Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Applied {
                    owner: row.try_get_by_index(0)?,
                    version: row.try_get_by_index(1)?,
                    name: row.try_get_by_index(2)?,
                    checksum: row.try_get_by_index(3)?,
                    at: Timestamp::from_micros(row.try_get_by_index(4)?),
                })
            })
            .collect()
    }

    /// Renames the owner of migrations.
    pub(super) async fn rename(&mut self, old: &str, new: &str) -> Result<(), DbErr> {
        self.begin().await?;
        let sql = "UPDATE doyen_migrations SET owner = $1 WHERE owner = $2";
        let renamed = self.rows(sql, vec![new.into(), old.into()]).await;
        match renamed {
            Ok(_) => self.run_sql("COMMIT").await,
            Err(error) => {
                let _rolled_back = self.run_sql("ROLLBACK").await;
                Err(error)
            }
        }
    }

    pub(super) async fn is_applied(&mut self, owner: &str, version: i64) -> Result<bool, DbErr> {
        let sql = "SELECT 1 FROM doyen_migrations WHERE owner = $1 AND version = $2";
        Ok(!self
            .rows(sql, vec![owner.into(), version.into()])
            .await?
            .is_empty())
    }

    pub(super) async fn schema(&mut self) -> Result<String, DbErr> {
        self.begin_read().await?;
        let schema = schema::dump(self, self.backend).await;
        self.end_read().await?;
        schema
    }

    /// Begins a transaction for several reads, as a pooler may need it.
    async fn begin_read(&mut self) -> Result<(), DbErr> {
        self.run_sql("BEGIN").await
    }

    async fn end_read(&mut self) -> Result<(), DbErr> {
        self.run_sql("COMMIT").await
    }

    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement =
            SqlStatement::FetchAll(Statement::from_sql_and_values(self.backend, sql, values));
        match self.connection.run(&statement).await {
            Ok(Outcome::Rows(rows)) => Ok(rows),
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(statement.error(error)),
        }
    }

    pub(crate) async fn run_sql(&mut self, sql: &str) -> Result<(), DbErr> {
        self.connection.run_sql(sql).await.map_err(|error| {
            // A script is named by its file; its text may be long.
            let error = crate::error::with_sql(error, "");
            DbErr::Exec(RuntimeErr::SqlxError(error.into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Databases store the checksums; the expected values are computed independently.
    #[test]
    fn stored_checksums_are_stable() {
        let migration = Migration {
            version: 3,
            name: "a",
            up: "CREATE TABLE a (id bigint);\r\n",
            down: "DROP TABLE a;",
        };
        assert_eq!(
            checksum(&migration),
            "923d7eb167e53a46e8c3aea822a44a1ba964d34454fb01df1545ff8ab8426fa5"
        );
        assert_eq!(
            fingerprint([&migration].into_iter()),
            "bc1b1449d932275e4971a2eced137e127e9479867d1dc9265d5998985032df21"
        );
    }
}
