//! Migrations that run outside of a transaction and stopped half-way.
//!
//! A row is written before the first statement and removed after the last one. What is found later
//! was applied in part, and only a person knows what is missing.

use doyen_core::Timestamp;
use sea_orm::DbErr;

use super::history::History;
use super::step::Step;
use super::{Migration, MigrationError, Migrator, State, Status};

const TABLE: &str = "doyen_migrations_unfinished";

/// A migration that was begun and not completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfinished {
    pub(super) owner: String,
    pub(super) version: i64,
    /// Statements that completed, at least.
    pub(super) completed: i64,
    /// Statements of the file.
    pub(super) statements: i64,
}

impl Unfinished {
    pub(super) fn is(&self, owner: &str, migration: &Migration) -> bool {
        self.owner == owner && self.version == migration.version
    }

    pub(super) const fn state(&self) -> State {
        State::Unfinished {
            completed: self.completed,
            statements: self.statements,
        }
    }

    pub(super) fn status(&self, owner: &'static str, migration: &Migration) -> Status {
        Status {
            owner,
            version: migration.version,
            name: migration.name.to_owned(),
            state: self.state(),
        }
    }
}

impl Migrator<'_> {
    /// Records an unfinished migration, which a person has completed or undone, as applied or as
    /// pending.
    ///
    /// # Errors
    ///
    /// Returns an error if no migration of this version is unfinished.
    pub async fn resolve(&self, version: i64, is_applied: bool) -> Result<(), MigrationError> {
        let mut history = History::open(self.database).await?;
        history.begin().await?;
        let all = history.unfinished().await?;
        let unfinished = all.into_iter().find(|one| one.version == version);
        let step = self
            .all()
            .find(|(owner, migration)| {
                migration.version == version
                    && unfinished.as_ref().is_some_and(|one| one.owner == *owner)
            })
            .map(|(owner, migration)| Step::up(owner, migration));
        let (Some(unfinished), Some(step)) = (unfinished, step) else {
            return Err(MigrationError::nothing_to_resolve(version));
        };
        history
            .resolve(&unfinished, is_applied.then_some(step))
            .await?;
        history.run_sql("COMMIT").await?;
        history.close().await;
        Ok(())
    }
}

impl History {
    pub(super) async fn unfinished(&mut self) -> Result<Vec<Unfinished>, DbErr> {
        if !self.has_table(TABLE).await? {
            return Ok(Vec::new());
        }
        let sql = "SELECT owner, version, completed, statements FROM doyen_migrations_unfinished ORDER BY owner, version";
        let rows = self.rows(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Unfinished {
                    owner: row.try_get_by_index(0)?,
                    version: row.try_get_by_index(1)?,
                    completed: row.try_get_by_index(2)?,
                    statements: row.try_get_by_index(3)?,
                })
            })
            .collect()
    }

    pub(super) async fn begin_unfinished(
        &mut self,
        step: Step,
        statements: usize,
        at: Timestamp,
    ) -> Result<(), DbErr> {
        self.run_sql(
            "CREATE TABLE IF NOT EXISTS doyen_migrations_unfinished (
    owner text NOT NULL,
    version bigint NOT NULL,
    way text NOT NULL,
    completed bigint NOT NULL,
    statements bigint NOT NULL,
    begun_at bigint NOT NULL,
    PRIMARY KEY (owner, version)
)",
        )
        .await?;
        let sql = "INSERT INTO doyen_migrations_unfinished (owner, version, way, completed, statements, begun_at) VALUES ($1, $2, $3, 0, $4, $5)";
        let values = vec![
            step.owner.into(),
            step.migration.version.into(),
            step.way.into(),
            i64::try_from(statements).unwrap_or(i64::MAX).into(),
            at.micros().into(),
        ];
        self.rows(sql, values).await.map(drop)
    }

    pub(super) async fn count_completed(
        &mut self,
        step: Step,
        completed: usize,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE doyen_migrations_unfinished SET completed = $1 WHERE owner = $2 AND version = $3";
        let values = vec![
            i64::try_from(completed).unwrap_or(i64::MAX).into(),
            step.owner.into(),
            step.migration.version.into(),
        ];
        self.rows(sql, values).await.map(drop)
    }

    pub(super) async fn end_unfinished(&mut self, owner: &str, version: i64) -> Result<(), DbErr> {
        let sql = "DELETE FROM doyen_migrations_unfinished WHERE owner = $1 AND version = $2";
        let values = vec![owner.into(), version.into()];
        self.rows(sql, values).await.map(drop)
    }

    /// Records an unfinished migration as applied or as pending.
    pub(super) async fn resolve(
        &mut self,
        unfinished: &Unfinished,
        applied: Option<Step>,
    ) -> Result<(), DbErr> {
        let Unfinished { owner, version, .. } = unfinished;
        let is_applied = self.is_applied(owner, *version).await?;
        let at = Timestamp::from(chrono::Utc::now());
        match applied {
            Some(step) if !is_applied => {
                let (sql, values) = step.record(at);
                self.rows(sql, values).await?;
            }
            None if is_applied => {
                let sql = "DELETE FROM doyen_migrations WHERE owner = $1 AND version = $2";
                let values = vec![owner.as_str().into(), (*version).into()];
                self.rows(sql, values).await?;
            }
            _ => {}
        }
        self.end_unfinished(owner, *version).await
    }
}
