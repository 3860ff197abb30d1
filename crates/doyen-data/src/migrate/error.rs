//! Why a migration was not applied.

use std::error::Error;
use std::fmt;

use sea_orm::{DbBackend, DbErr};

use super::{Migration, State, Status};

/// Why a migration was not applied, with its file.
#[derive(Debug)]
pub struct MigrationError {
    what: String,
    source: Option<DbErr>,
}

impl MigrationError {
    pub(super) fn failed(way: &str, migration: &Migration, error: DbErr) -> Self {
        Self {
            what: format!(
                "the migration `{}_{}.{way}.sql` failed; nothing of it was applied",
                migration.version, migration.name
            ),
            source: Some(error),
        }
    }

    pub(super) fn refused(migration: &Migration, why: &str) -> Self {
        Self {
            what: format!(
                "the migration `{}_{}` was not applied: {why}",
                migration.version, migration.name
            ),
            source: None,
        }
    }

    pub(super) fn wrong(status: &Status) -> Self {
        let file = format!("{}_{}.up.sql", status.version, status.name);
        let what = match status.state {
            State::Missing => format!(
                "the migration `{file}` was applied to this database and its file is gone. Bring the file back, or use a newer program"
            ),
            _ => format!(
                "the migration `{file}` was changed after it was applied to this database. Undo the change and write a new migration instead"
            ),
        };
        Self { what, source: None }
    }

    pub(super) fn none_for(backend: DbBackend) -> Self {
        let folder = if backend == DbBackend::Sqlite {
            "sqlite"
        } else {
            "postgres"
        };
        Self {
            what: format!(
                "there are no migrations for this database. Write them into `migrations/{folder}/`, or use another database"
            ),
            source: None,
        }
    }

    pub(super) fn pending(status: &Status) -> Self {
        let what = format!(
            "the migration `{}_{}` was not applied to this database yet. Run `migrate up`",
            status.version, status.name
        );
        Self { what, source: None }
    }
}

impl fmt::Display for MigrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for MigrationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

impl From<DbErr> for MigrationError {
    fn from(error: DbErr) -> Self {
        Self {
            what: "the database failed while its migrations were looked at".to_owned(),
            source: Some(error),
        }
    }
}
