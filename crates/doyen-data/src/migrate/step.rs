//! Applies or reverts one migration.

use doyen_core::Timestamp;
use sea_orm::{DbErr, Value};

use super::history::{History, LOCK, checksum};
use super::lock_wait::{is_lock_timeout, pause};
use super::script::{Script, Statement};
use super::{Migration, MigrationError};
use crate::error::sqlx_error;
use crate::{Database, Pooler};

/// One direction of a migration.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) owner: &'static str,
    pub(super) migration: &'static Migration,
    /// `up` or `down`.
    pub(super) way: &'static str,
}

impl Step {
    pub(super) const fn up(owner: &'static str, migration: &'static Migration) -> Self {
        let way = "up";
        Self {
            owner,
            migration,
            way,
        }
    }

    pub(super) const fn down(owner: &'static str, migration: &'static Migration) -> Self {
        let way = "down";
        Self {
            owner,
            migration,
            way,
        }
    }

    fn sql(&self) -> &'static str {
        match self.way {
            "up" => self.migration.up,
            _ => self.migration.down,
        }
    }

    /// True if the migration must be applied before this step.
    fn expects_applied(&self) -> bool {
        self.way == "down"
    }

    /// The statement that records the step.
    pub(super) fn record(&self, at: Timestamp) -> (&'static str, Vec<Value>) {
        let key: [Value; 2] = [self.owner.into(), self.migration.version.into()];
        if self.expects_applied() {
            let sql = "DELETE FROM doyen_migrations WHERE owner = $1 AND version = $2";
            return (sql, key.into());
        }
        let sql = "INSERT INTO doyen_migrations (owner, version, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)";
        let rest: [Value; 3] = [
            self.migration.name.into(),
            checksum(self.migration).into(),
            at.micros().into(),
        ];
        (sql, key.into_iter().chain(rest).collect())
    }
}

impl History {
    /// Refuses a script that begins or ends a transaction.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file and the line.
    pub(super) fn check(&self, step: Step) -> Result<(), MigrationError> {
        let script = Script::parse(step.sql(), self.backend);
        match script.transaction_control() {
            Some(statement) => Err(MigrationError::controls_transaction(step, statement)),
            None => Ok(()),
        }
    }

    /// Runs one script under the lock, if the state is as expected, and records it. Returns `None`
    /// if another process did.
    pub(super) async fn run(
        &mut self,
        database: &Database,
        step: Step,
    ) -> Result<Option<Timestamp>, MigrationError> {
        let script = Script::parse(step.sql(), self.backend);
        let at = Timestamp::from(chrono::Utc::now());
        if script.without_transaction {
            let done = self.run_alone(database, step, &script, at).await?;
            return Ok(done.then_some(at));
        }
        let mut attempt = 1;
        loop {
            match self.run_in_transaction(database, step, &script, at).await {
                Err(error) if self.tries_again(database, step, &error, attempt).await => {
                    attempt += 1;
                }
                done => return Ok(done?.then_some(at)),
            }
        }
    }

    /// After a wait for a lock that was too long, pauses and returns true, unless that was the last
    /// attempt.
    async fn tries_again(
        &self,
        database: &Database,
        step: Step,
        error: &MigrationError,
        attempt: u32,
    ) -> bool {
        let attempts = database.options().migration_lock_attempts;
        if !error.is_lock_timeout() || attempt >= attempts {
            return false;
        }
        let pause = pause(attempt);
        let Migration { version, name, .. } = step.migration;
        tracing::warn!(
            migration = %format_args!("{version}_{name}"),
            attempt,
            attempts,
            "the migration waited too long for a lock, and is tried again in {} s: {error}",
            pause.as_secs()
        );
        tokio::time::sleep(pause).await;
        true
    }

    async fn run_in_transaction(
        &mut self,
        database: &Database,
        step: Step,
        script: &Script<'_>,
        at: Timestamp,
    ) -> Result<bool, MigrationError> {
        self.begin().await?;
        let Step {
            owner, migration, ..
        } = step;
        if self.is_applied(owner, migration.version).await? != step.expects_applied() {
            self.run_sql("ROLLBACK").await?;
            return Ok(false);
        }
        match self.script_and_record(database, step, script, at).await {
            Ok(None) => match self.run_sql("COMMIT").await {
                Ok(()) => Ok(true),
                Err(error) if is_answer(&error) => Err(MigrationError::failed(step, script, error)),
                Err(error) => Err(MigrationError::unknown(step, error)),
            },
            Ok(Some(broken)) => {
                self.run_sql("ROLLBACK").await?;
                Err(MigrationError::refused(migration, &broken))
            }
            Err(error) => {
                let _rolled_back = self.run_sql("ROLLBACK").await;
                match is_lock_timeout(&error) {
                    true => Err(MigrationError::blocked(step, self.holder.as_ref(), error)),
                    false => Err(MigrationError::failed(step, script, error)),
                }
            }
        }
    }

    /// Runs the script and changes the record. Returns violated foreign keys, if any.
    async fn script_and_record(
        &mut self,
        database: &Database,
        step: Step,
        script: &Script<'_>,
        at: Timestamp,
    ) -> Result<Option<String>, DbErr> {
        self.run_watched(database, script.text).await?;
        let (record, values) = step.record(at);
        self.rows(record, values).await?;
        if self.postgres() {
            return Ok(None);
        }
        let sql = "SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1";
        let broken = self.rows(sql, Vec::new()).await?;
        let Some(row) = broken.first() else {
            return Ok(None);
        };
        let (table, parent): (String, String) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok(Some(format!(
            "after it a row of `{table}` points to a row of `{parent}` that is not there"
        )))
    }

    /// Runs a script outside of a transaction: the lock belongs to the connection.
    async fn run_alone(
        &mut self,
        database: &Database,
        step: Step,
        script: &Script<'_>,
        at: Timestamp,
    ) -> Result<bool, MigrationError> {
        if self.pooler == Pooler::Transaction {
            let why = "it runs outside of a transaction, which a pooler in transaction mode does not allow. \
                       Apply it with `migrate up` and the URL of the server";
            return Err(MigrationError::refused(step.migration, why));
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
        let done = self.statements_and_record(database, step, script, at).await;
        // If it fails, the connection is lost, and the lock with it.
        let _unlocked = self
            .run_sql(&format!("SELECT pg_advisory_unlock({LOCK})"))
            .await;
        done
    }

    async fn statements_and_record(
        &mut self,
        database: &Database,
        step: Step,
        script: &Script<'_>,
        at: Timestamp,
    ) -> Result<bool, MigrationError> {
        let Step {
            owner, migration, ..
        } = step;
        if self.is_applied(owner, migration.version).await? != step.expects_applied() {
            return Ok(false);
        }
        // Another process may have stopped half-way since it was checked.
        let unfinished = self.unfinished().await?;
        if let Some(begun) = unfinished.iter().find(|one| one.is(owner, migration)) {
            return Err(MigrationError::wrong(&begun.status(owner, migration)));
        }
        self.begin_unfinished(step, script.statements.len(), at)
            .await?;
        for (index, statement) in script.statements.iter().enumerate() {
            // One by one: PostgreSQL wraps several statements in one message into a transaction.
            if let Err(error) = self.run_statement(database, step, statement).await {
                if index == 0 && is_answer(&error) {
                    self.end_unfinished(owner, migration.version).await?;
                }
                let holder = self.holder.as_ref();
                return Err(MigrationError::stopped(step, script, index, holder, error));
            }
            self.count_completed(step, index + 1).await?;
        }
        self.begin().await?;
        let (record, values) = step.record(at);
        self.rows(record, values).await?;
        self.end_unfinished(owner, migration.version).await?;
        self.run_sql("COMMIT").await?;
        Ok(true)
    }
}

impl History {
    /// Runs one statement outside of a transaction. If it does not get a lock, it had no effect,
    /// and is tried again.
    async fn run_statement(
        &mut self,
        database: &Database,
        step: Step,
        statement: &Statement<'_>,
    ) -> Result<(), DbErr> {
        self.limit_waiting(statement.is_concurrent()).await?;
        let mut attempt = 1;
        loop {
            let Err(error) = self.run_watched(database, statement.text).await else {
                return Ok(());
            };
            if !is_lock_timeout(&error) {
                return Err(error);
            }
            let blocked = MigrationError::blocked(step, self.holder.as_ref(), error.clone());
            if !self.tries_again(database, step, &blocked, attempt).await {
                return Err(error);
            }
            attempt += 1;
        }
    }
}

/// Returns true if the database itself reported the error, so that its effect is known.
pub(super) fn is_answer(error: &DbErr) -> bool {
    matches!(sqlx_error(error), Some(sqlx::Error::Database(_)))
}
