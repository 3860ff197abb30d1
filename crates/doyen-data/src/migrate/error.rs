//! Why a migration was not applied.

use std::error::Error;
use std::fmt;

use sea_orm::{DbBackend, DbErr};

use super::lock_wait::{Holder, is_lock_timeout};
use super::script::{Script, Statement};
use super::step::{Step, is_answer};
use super::{APPLICATION, Migration, State, Status};

/// Why a migration was not applied, with its file.
#[derive(Debug)]
pub struct MigrationError {
    what: String,
    source: Option<DbErr>,
}

impl MigrationError {
    /// A script in a transaction failed, and the transaction with it.
    pub(super) fn failed(step: Step, script: &Script<'_>, error: DbErr) -> Self {
        let line =
            line(script.text, &error).map_or_else(String::new, |line| format!(" at line {line}"));
        Self {
            what: format!(
                "the migration {} failed{line}; nothing of it was applied{}",
                file_of(step),
                extension_advice(&error).unwrap_or_default()
            ),
            source: Some(error),
        }
    }

    /// A script in a transaction waited too long for a lock.
    pub(super) fn blocked(step: Step, holder: Option<&Holder>, error: DbErr) -> Self {
        Self {
            what: format!(
                "the migration {} waited too long for a lock; nothing of it was applied. {}",
                file_of(step),
                lock_advice(holder)
            ),
            source: Some(error),
        }
    }

    /// Returns true if the migration can be tried again.
    pub(super) fn is_lock_timeout(&self) -> bool {
        self.source.as_ref().is_some_and(is_lock_timeout)
    }

    /// The connection was lost during a commit.
    pub(super) fn unknown(step: Step, error: DbErr) -> Self {
        Self {
            what: format!(
                "the connection was lost during the commit of the migration {}. `migrate status` shows if it was applied",
                file_of(step)
            ),
            source: Some(error),
        }
    }

    /// A statement outside of a transaction failed, after `completed` others.
    pub(super) fn stopped(
        step: Step,
        script: &Script<'_>,
        completed: usize,
        holder: Option<&Holder>,
        error: DbErr,
    ) -> Self {
        let statement = &script.statements[completed];
        let mut what = format!(
            "statement {} of {} of the migration {} failed, at line {}",
            completed + 1,
            script.statements.len(),
            file_of(step),
            statement.line
        );
        if !is_answer(&error) {
            what.push_str("; the connection was lost, so it is unknown if it completed");
        }
        if completed > 0 {
            what.push_str("; the statements before it completed and stay");
        }
        if is_lock_timeout(&error) {
            what.push_str("; it waited too long for a lock. ");
            what.push_str(&lock_advice(holder));
        }
        if completed > 0 || !is_answer(&error) {
            what.push_str(". ");
            what.push_str(&advice(step.migration.version));
        } else {
            what.push_str("; none after it was run");
            if statement.is_concurrent() {
                what.push_str(". If it left an invalid index, drop that index");
            }
        }
        Self {
            what,
            source: Some(error),
        }
    }

    pub(super) fn controls_transaction(step: Step, statement: &Statement<'_>) -> Self {
        Self {
            what: format!(
                "the migration {} has `{}` at line {}: a migration is one transaction already, or with `-- no-transaction` one for each statement. Remove it",
                file_of(step),
                statement.keyword(),
                statement.line
            ),
            source: None,
        }
    }

    pub(super) fn nothing_to_resolve(version: i64) -> Self {
        Self {
            what: format!(
                "there is no unfinished migration of version {version}. `migrate status` lists them"
            ),
            source: None,
        }
    }

    /// The files that the program does not contain.
    pub(super) fn not_embedded(folder: &str, files: &[String]) -> Self {
        let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
        Self {
            what: format!(
                "the folder {folder} has migrations that this program does not contain: {}. Build it again, and let cargo watch the folder with a `build.rs` next to `Cargo.toml`: fn main() {{ println!(\"cargo::rerun-if-changed=migrations\"); }}",
                files.join(", ")
            ),
            source: None,
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
            State::Unfinished {
                completed,
                statements,
            } => format!(
                "the migration {file} is being applied or reverted by another process, or stopped half-way: at least {completed} of {statements} statements completed. {}",
                advice(status.version)
            ),
            State::Missing => format!(
                "the migration {file} was applied to this database and its file is gone. Bring the file back, or use a newer program"
            ),
            State::Newer => format!(
                "the migration {file} was applied by a newer release, so that none before it can be reverted. Use the newer program"
            ),
            State::Pending => format!(
                "the migration {file} was not applied to this database yet. Run `migrate up`"
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
}

/// What to do about an unfinished migration.
fn advice(version: i64) -> String {
    format!(
        "Complete or undo it by hand, then run `migrate resolve {version} applied` or `migrate resolve {version} pending`"
    )
}

/// Names the holder of a lock, and says what to do.
fn lock_advice(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!(
            "The lock is held by {holder}. Wait for its end or end it, and try again; `database.migration_lock_timeout` and `database.migration_lock_attempts` are the limits"
        ),
        None => "`pg_locks` shows who holds it. Try again when it is free; `database.migration_lock_timeout` and `database.migration_lock_attempts` are the limits".to_owned(),
    }
}

/// Returns the line of a script at which PostgreSQL reports the error.
fn line(script: &str, error: &DbErr) -> Option<usize> {
    #[cfg(feature = "postgres")]
    {
        use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
        let error = crate::error::sqlx_error(error)?.as_database_error()?;
        let error = error.try_downcast_ref::<PgDatabaseError>()?;
        if let Some(PgErrorPosition::Original(position)) = error.position() {
            let before = script.chars().take(position.saturating_sub(1));
            return Some(1 + before.filter(|c| *c == '\n').count());
        }
    }
    let _ = (script, error);
    None
}

fn file_of(step: Step) -> String {
    file(
        step.owner,
        step.migration.version,
        step.migration.name,
        step.way,
    )
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
            what: format!(
                "the history of the migrations cannot be read or written{}",
                crate::advice::migration_advice(&error)
            ),
            source: Some(error),
        }
    }
}
