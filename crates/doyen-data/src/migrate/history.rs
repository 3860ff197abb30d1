//! The applied migrations, and the connection that applies them.

use std::fmt::Write as _;

use aws_lc_rs::digest::{self, SHA256};
use doyen_core::Timestamp;
use sea_orm::{DbBackend, DbErr, QueryResult, RuntimeErr, Statement, Value};

use super::{Migration, MigrationError, schema};
use crate::connection::{Connection, Outcome, SqlStatement};
use crate::{Database, Pooler};

/// Key of the advisory lock. It must not change. Advisory locks of PostgreSQL belong to one
/// database.
const LOCK: i64 = 0x646f_7965_6e01;

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
pub(super) struct History {
    connection: Connection,
    backend: DbBackend,
    pooler: Pooler,
}

impl History {
    pub(super) async fn open(database: &Database) -> Result<Self, DbErr> {
        let backend = database.backend();
        let connection = database
            .connect_options()
            .connect()
            .await
            .map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
        Ok(Self {
            connection,
            backend,
            pooler: database.options().pooler,
        })
    }

    fn postgres(&self) -> bool {
        self.backend == DbBackend::Postgres
    }

    pub(super) async fn close(self) {
        self.connection.close().await;
    }

    /// Creates the table of applied migrations.
    pub(super) async fn prepare(&mut self) -> Result<(), DbErr> {
        self.begin().await?;
        self.run_sql(TABLE[0]).await?;
        self.run_sql("COMMIT").await
    }

    pub(super) async fn applied(&mut self) -> Result<Vec<Applied>, DbErr> {
        self.begin_read().await?;
        let applied = self.read_applied().await;
        self.end_read().await?;
        applied
    }

    async fn read_applied(&mut self) -> Result<Vec<Applied>, DbErr> {
        let there = if self.postgres() {
            "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('doyen_migrations')"
        } else {
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'doyen_migrations'"
        };
        if self.rows(there, Vec::new()).await?.is_empty() {
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

    /// Applies a migration. Returns `None` if another process did.
    pub(super) async fn apply(
        &mut self,
        owner: &str,
        migration: &Migration,
    ) -> Result<Option<Timestamp>, MigrationError> {
        let at = Timestamp::from(chrono::Utc::now());
        let values = vec![
            owner.into(),
            migration.version.into(),
            migration.name.into(),
            checksum(migration).into(),
            at.micros().into(),
        ];
        let note = "INSERT INTO doyen_migrations (owner, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)";
        let done = self
            .step(
                owner,
                migration,
                ("up", migration.up),
                false,
                (note, values),
            )
            .await?;
        Ok(done.then_some(at))
    }

    /// Reverts a migration. Returns false if another process did.
    pub(super) async fn take_back(
        &mut self,
        owner: &str,
        migration: &Migration,
    ) -> Result<bool, MigrationError> {
        let note = "DELETE FROM doyen_migrations WHERE owner = $1 AND version = $2";
        self.step(
            owner,
            migration,
            ("down", migration.down),
            true,
            (note, vec![owner.into(), migration.version.into()]),
        )
        .await
    }

    /// Runs one script under the lock, if the state is as expected, together with the change of the
    /// record, in one transaction.
    async fn step(
        &mut self,
        owner: &str,
        migration: &Migration,
        (way, script): (&str, &str),
        expected: bool,
        (note, values): (&str, Vec<Value>),
    ) -> Result<bool, MigrationError> {
        if self.postgres() && script.trim_start().starts_with("-- no-transaction") {
            return self
                .step_alone(owner, migration, (way, script), expected, (note, values))
                .await;
        }
        self.begin().await?;
        if self.is_applied(owner, migration.version).await? != expected {
            self.run_sql("ROLLBACK").await?;
            return Ok(false);
        }
        let result = self.script(script, note, values).await;
        match result {
            Ok(None) => match self.run_sql("COMMIT").await {
                Ok(()) => Ok(true),
                Err(error) => Err(MigrationError::failed(owner, way, migration, error)),
            },
            Ok(Some(broken)) => {
                self.run_sql("ROLLBACK").await?;
                Err(MigrationError::refused(migration, &broken))
            }
            Err(error) => {
                let _rolled_back = self.run_sql("ROLLBACK").await;
                Err(MigrationError::failed(owner, way, migration, error))
            }
        }
    }

    /// Runs a script outside of a transaction: the lock belongs to the connection.
    async fn step_alone(
        &mut self,
        owner: &str,
        migration: &Migration,
        (way, script): (&str, &str),
        expected: bool,
        (note, values): (&str, Vec<Value>),
    ) -> Result<bool, MigrationError> {
        if self.pooler == Pooler::Transaction {
            let why = "it runs outside of a transaction, which a pooler in transaction mode does not allow. \
                       Apply it with `migrate up` and the URL of the server";
            return Err(MigrationError::refused(migration, why));
        }
        for setting in [
            "default_transaction_read_only = off",
            "statement_timeout = 0",
            "lock_timeout = 0",
        ] {
            self.run_sql(&format!("SET {setting}")).await?;
        }
        self.run_sql(&format!("SELECT pg_advisory_lock({LOCK})"))
            .await?;
        let result = if self.is_applied(owner, migration.version).await? == expected {
            // One by one: PostgreSQL wraps several statements in one message into a transaction.
            let mut result = Ok(());
            for statement in script
                .split_inclusive(";\n")
                .filter(|part| !part.trim().is_empty())
            {
                result = self.run_sql(statement).await;
                if result.is_err() {
                    break;
                }
            }
            match result {
                Ok(()) => self.rows(note, values).await.map(|_| true),
                Err(error) => Err(error),
            }
        } else {
            Ok(false)
        };
        self.run_sql(&format!("SELECT pg_advisory_unlock({LOCK})"))
            .await?;
        result.map_err(|error| MigrationError::failed(owner, way, migration, error))
    }

    /// Begins a transaction and waits for other processes that migrate.
    async fn begin(&mut self) -> Result<(), DbErr> {
        if !self.postgres() {
            self.run_sql("PRAGMA foreign_keys = OFF").await?;
            return self.run_sql("BEGIN IMMEDIATE").await;
        }
        // A migration may run long. Only waiting for locks affects others.
        self.run_sql(
            "BEGIN READ WRITE; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0",
        )
        .await?;
        self.run_sql(&format!("SELECT pg_advisory_xact_lock({LOCK})"))
            .await?;
        self.run_sql("SET LOCAL lock_timeout = '2s'").await
    }

    /// Runs the script and changes the record. Returns violated foreign keys, if any.
    async fn script(
        &mut self,
        script: &str,
        note: &str,
        values: Vec<Value>,
    ) -> Result<Option<String>, DbErr> {
        self.run_sql(script).await?;
        self.rows(note, values).await?;
        if self.postgres() {
            return Ok(None);
        }
        let broken = self
            .rows(
                "SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1",
                Vec::new(),
            )
            .await?;
        let Some(row) = broken.first() else {
            return Ok(None);
        };
        let (table, parent): (String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(Some(format!(
            "after it a row of `{table}` points to a row of `{parent}` that is not there"
        )))
    }

    async fn is_applied(&mut self, owner: &str, version: i64) -> Result<bool, DbErr> {
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

    pub(super) async fn rows(
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

    /// Runs this without parameters or rows.
    async fn run_sql(&mut self, sql: &str) -> Result<(), DbErr> {
        self.connection
            .run_sql(sql)
            .await
            .map_err(|error| DbErr::Exec(RuntimeErr::SqlxError(error.into())))
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
