//! Why a migration was not applied.

use std::error::Error;
use std::fmt;

use sea_orm::{DbBackend, DbErr};

use super::{APPLICATION, Migration, State, Status};

/// Why a migration was not applied, with its file.
#[derive(Debug)]
pub struct MigrationError {
    what: String,
    source: Option<DbErr>,
}

impl MigrationError {
    pub(super) fn failed(owner: &str, way: &str, migration: &Migration, error: DbErr) -> Self {
        let file = file(owner, migration.version, migration.name, way);
        Self {
            what: format!(
                "the migration {file} failed; nothing of it was applied{}",
                extension_advice(&error).unwrap_or_default()
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
        let file = file(status.owner, status.version, &status.name, "up");
        let what = match status.state {
            State::Missing => format!(
                "the migration {file} was applied to this database and its file is gone. Bring the file back, or use a newer program"
            ),
            _ => format!(
                "the migration {file} was changed after it was applied to this database. Undo the change and write a new migration instead"
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
            "the migration {} was not applied to this database yet. Run `migrate up`",
            file(status.owner, status.version, &status.name, "up")
        );
        Self { what, source: None }
    }
}

/// Returns what to do about an extension of PostgreSQL that cannot be created.
fn extension_advice(error: &DbErr) -> Option<String> {
    let code = crate::error::code(error)?;
    let text = error.to_string();
    let (_, name) = text.split_once("extension \"")?;
    let (name, _) = name.split_once('"')?;
    match code.as_str() {
        "42501" => Some(format!(
            ". The role may not create the extension `{name}`. Run `CREATE EXTENSION {name}` in this database as its owner or as a superuser, then try again"
        )),
        "0A000" | "58P01" => Some(format!(
            ". The server does not have the extension `{name}`. Install it on the server, for example with the package `postgresql-contrib`, then try again"
        )),
        _ => None,
    }
}

/// Names the file of a migration, and its owner if that is not the application.
fn file(owner: &str, version: i64, name: &str, way: &str) -> String {
    let file = format!("`{version}_{name}.{way}.sql`");
    match owner {
        APPLICATION => file,
        owner => format!("{file} of `{owner}`"),
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
