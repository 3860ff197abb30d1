//! Migrations: SQL files, embedded in the program and applied once, in order.
//!
//! ```text
//! migrations/
//! ├── sqlite/    20261122093000_tickets.up.sql   20261122093000_tickets.down.sql
//! └── postgres/  20261122093000_tickets.up.sql   20261122093000_tickets.down.sql
//! ```
//!
//! `doyen::migrations!("migrations")` embeds both folders. A [`Migrator`] applies those for its
//! database.
//!
//! - Each migration runs in one transaction together with the row that records it. It must not
//!   begin or end a transaction itself.
//! - Processes that start together wait for each other. Each migration is applied once.
//! - If a file was changed or removed after it was applied, nothing is applied. The error names it.
//! - Migrations of a newer release are accepted: during a rolling deployment, processes of the
//!   former release still start.
//! - PostgreSQL: a migration that waits too long for a lock is rolled back and tried again, instead
//!   of blocking all traffic behind it. A file that begins with `-- no-transaction` runs outside of
//!   a transaction, statement by statement (`CREATE INDEX CONCURRENTLY`). If one fails, those
//!   before it stay applied; the migration is then recorded as unfinished, and
//!   [`Migrator::resolve`] settles it.
//! - SQLite: foreign keys are not enforced while a migration runs, because tables are rebuilt by
//!   hand. They are checked before its commit.
//!
//! For the reasons against sqlx's migrator see `docs/decisions/0004-database.md`.

mod drift;
mod error;
mod folder;
mod history;
mod lock;
mod lock_wait;
mod schema;
mod script;
mod step;
mod unfinished;

use doyen_core::Timestamp;
use sea_orm::{DbBackend, DbErr};

pub use error::MigrationError;
use history::Applied;
pub(crate) use history::History;
pub use lock::MigrationLock;
pub use script::{Lexer, Script, Statement, Token};
use step::Step;
use unfinished::Unfinished;

use crate::Database;
use crate::outbox::TABLES;

/// Returns the statements of a migration.
pub(crate) fn statements(sql: &str, backend: DbBackend) -> Vec<&str> {
    let statements = Script::parse(sql, backend).statements;
    statements.iter().map(|statement| statement.text).collect()
}

/// Owner of the tables of the framework itself.
const FRAMEWORK: &str = "doyen";
/// Owner of the tables of the application.
const APPLICATION: &str = "app";

/// A migration and its reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Position in the order; by convention the time of writing, `20261122093000`.
    pub version: i64,
    /// Name, such as `tickets`.
    pub name: &'static str,
    /// The SQL that applies it.
    pub up: &'static str,
    /// The SQL that reverts it.
    pub down: &'static str,
}

/// The migrations for both databases, as embedded by `doyen::migrations!`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// For SQLite, in order.
    pub sqlite: &'static [Migration],
    /// For PostgreSQL, in order.
    pub postgres: &'static [Migration],
    /// The folder of the files on the machine that built the program, if they come from one.
    pub folder: Option<&'static str>,
}

impl Migrations {
    /// Returns the migrations for a database, in order.
    pub fn of(&self, backend: DbBackend) -> &'static [Migration] {
        match backend {
            DbBackend::Sqlite => self.sqlite,
            _ => self.postgres,
        }
    }

    /// Returns a fingerprint that changes whenever a migration changes, including those of the
    /// framework. It can name a database that is migrated once and copied often.
    pub fn fingerprint(&self) -> String {
        Self::fingerprint_of(&[*self])
    }

    /// Returns the [`fingerprint`](Self::fingerprint) of several sets together.
    pub fn fingerprint_of(sets: &[Migrations]) -> String {
        let all = std::iter::once(&TABLES).chain(sets);
        history::fingerprint(all.flat_map(|set| set.sqlite.iter().chain(set.postgres)))
    }
}

/// A migration and its state in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Owner: `app`, or a part of the framework.
    pub owner: &'static str,
    /// Position in the order.
    pub version: i64,
    /// Name.
    pub name: String,
    /// State.
    pub state: State,
}

/// The state of a migration in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied.
    Applied {
        /// Time of the application.
        at: Timestamp,
    },
    /// Not applied yet.
    Pending,
    /// Applied, but its file has changed since.
    Changed,
    /// Applied, but its file no longer exists.
    Missing,
    /// Applied by a newer release: it follows all migrations of this program, which are applied.
    Newer,
    /// Its statements run outside of a transaction, and they run now or stopped half-way.
    Unfinished {
        /// Statements that completed, at least.
        completed: i64,
        /// Statements of the file.
        statements: i64,
    },
}

/// Applies migrations to a database. See the [module](self).
///
/// ```no_run
/// use doyen_data::{Database, Migrations, Migrator};
/// # const MIGRATIONS: Migrations = Migrations { sqlite: &[], postgres: &[], folder: None };
///
/// # async fn start(database: &Database) -> Result<(), doyen_data::MigrationError> {
/// let applied = Migrator::new(database, MIGRATIONS).up().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Migrator<'a> {
    database: &'a Database,
    // The application comes last: its migrations may refer to the others.
    sets: Vec<(&'static str, Migrations)>,
    /// Former owners and their current names.
    renamed: Vec<(&'static str, &'static str)>,
}

impl<'a> Migrator<'a> {
    /// Creates a migrator for the tables of the framework and the application.
    pub fn new(database: &'a Database, application: Migrations) -> Self {
        Self {
            database,
            sets: vec![(FRAMEWORK, TABLES), (APPLICATION, application)],
            renamed: Vec::new(),
        }
    }

    /// Adds the tables of another part of the framework, before those of the application. The name
    /// must not change later.
    #[must_use]
    pub fn with(mut self, owner: &'static str, migrations: Migrations) -> Self {
        self.sets.insert(self.sets.len() - 1, (owner, migrations));
        self
    }

    /// Takes over the tables of a former owner: its migrations count as those of `new`.
    #[must_use]
    pub fn renamed(mut self, old: &'static str, new: &'static str) -> Self {
        self.renamed.push((old, new));
        self
    }

    /// Returns the owners and their migrations, in the order in which they are applied.
    pub fn sets(&self) -> &[(&'static str, Migrations)] {
        &self.sets
    }

    /// Returns the owners of tables in the database that have no migrations here: parts that the
    /// application no longer has.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is unavailable.
    pub async fn orphans(&self) -> Result<Vec<String>, MigrationError> {
        let mut history = History::open(self.database).await?;
        let applied = self.applied(&mut history).await;
        history.close().await;
        let mut owners: Vec<String> = applied?
            .into_iter()
            .map(|row| row.owner)
            .filter(|owner| !self.sets.iter().any(|(known, _)| known == owner))
            .collect();
        owners.dedup();
        Ok(owners)
    }

    /// Replaces the names of former owners by the current ones.
    async fn rename(&self, history: &mut History) -> Result<(), DbErr> {
        if self.renamed.is_empty() {
            return Ok(());
        }
        let applied = history.applied().await?;
        for (old, new) in &self.renamed {
            if applied.iter().any(|row| row.owner == *old) {
                history.rename(old, new).await?;
            }
        }
        Ok(())
    }

    /// Returns the applied migrations with the current owner names.
    async fn applied(&self, history: &mut History) -> Result<Vec<Applied>, DbErr> {
        let mut applied = history.applied().await?;
        for row in &mut applied {
            let renamed = self.renamed.iter().find(|(old, _)| *old == row.owner);
            if let Some((_, new)) = renamed {
                (*new).clone_into(&mut row.owner);
            }
        }
        Ok(applied)
    }

    /// Applies the pending migrations in order, and returns them.
    ///
    /// # Errors
    ///
    /// Returns an error that names the migration that failed; those before it stay applied. Nothing
    /// is applied if a file was changed or removed.
    pub async fn up(&self) -> Result<Vec<Status>, MigrationError> {
        self.refuse_none()?;
        let (mut history, applied) = self.begin().await?;
        let pending: Vec<_> = self
            .all()
            .filter(|(owner, migration)| !is_among(&applied, owner, migration))
            .collect();
        // All are checked before the first one is applied.
        for (owner, migration) in &pending {
            history.check(Step::up(owner, migration))?;
        }
        let mut done = Vec::new();
        for (owner, migration) in pending {
            // Another process may have applied it: checked again under the lock.
            let step = Step::up(owner, migration);
            if let Some(at) = history.run(self.database, step).await? {
                done.push(Status {
                    owner,
                    version: migration.version,
                    name: migration.name.to_owned(),
                    state: State::Applied { at },
                });
            }
        }
        history.close().await;
        Ok(done)
    }

    /// Reverts the last migrations of the application. Returns them, the last one first.
    ///
    /// # Errors
    ///
    /// Returns an error that names the migration that failed; those before it stay reverted.
    pub async fn down(&self, steps: usize) -> Result<Vec<Status>, MigrationError> {
        self.back(&[APPLICATION], steps).await
    }

    /// Reverts all migrations of one owner, such as a plugin. For tests.
    ///
    /// # Errors
    ///
    /// See [`down`](Self::down).
    pub async fn revert(&self, owner: &'static str) -> Result<Vec<Status>, MigrationError> {
        self.back(&[owner], usize::MAX).await
    }

    /// Reverts everything, including the tables of the framework. For tests.
    ///
    /// # Errors
    ///
    /// See [`down`](Self::down).
    pub async fn down_all(&self) -> Result<Vec<Status>, MigrationError> {
        let owners: Vec<&'static str> = self.sets.iter().map(|(owner, _)| *owner).collect();
        self.back(&owners, usize::MAX).await
    }

    /// Opens the history and refuses one that does not fit.
    async fn begin(&self) -> Result<(History, Vec<Applied>), MigrationError> {
        let mut history = History::open(self.database).await?;
        let unfinished = history.prepare().await?;
        self.rename(&mut history).await?;
        let applied = history.applied().await?;
        refuse_wrong(&self.compare(&applied, &unfinished))?;
        Ok((history, applied))
    }

    async fn back(
        &self,
        owners: &[&'static str],
        steps: usize,
    ) -> Result<Vec<Status>, MigrationError> {
        let (mut history, applied) = self.begin().await?;
        refuse(&self.compare(&applied, &[]), |state| state == State::Newer)?;
        let mut all: Vec<_> = self
            .all()
            .filter(|(owner, migration)| {
                owners.contains(owner) && is_among(&applied, owner, migration)
            })
            .collect();
        all.reverse();
        all.truncate(steps);
        for (owner, migration) in &all {
            history.check(Step::down(owner, migration))?;
        }
        let mut done = Vec::new();
        for (owner, migration) in all {
            let step = Step::down(owner, migration);
            if history.run(self.database, step).await?.is_some() {
                done.push(Status {
                    owner,
                    version: migration.version,
                    name: migration.name.to_owned(),
                    state: State::Pending,
                });
            }
        }
        history.close().await;
        Ok(done)
    }

    /// Returns the state of each migration. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn status(&self) -> Result<Vec<Status>, MigrationError> {
        let mut history = History::open(self.database).await?;
        let applied = self.applied(&mut history).await?;
        let unfinished = history.unfinished().await?;
        history.close().await;
        Ok(self.compare(&applied, &unfinished))
    }

    /// Checks that every migration is applied. Changes nothing. For production, where migrations
    /// run in a separate step.
    ///
    /// # Errors
    ///
    /// Returns an error that names the first migration that is pending, changed or missing.
    pub async fn check(&self) -> Result<(), MigrationError> {
        self.refuse_none()?;
        let status = self.status().await?;
        refuse_wrong(&status)?;
        refuse(&status, |state| state == State::Pending)
    }

    /// Returns the schema as text, to compare tables, columns, indexes and constraints in tests.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn schema(&self) -> Result<String, MigrationError> {
        let mut history = History::open(self.database).await?;
        let schema = history.schema().await?;
        history.close().await;
        Ok(schema)
    }

    /// An application that has migrations, but none for this database, cannot run on it.
    fn refuse_none(&self) -> Result<(), MigrationError> {
        let backend = self.database.backend();
        let none = |set: &Migrations| {
            set.of(backend).is_empty() && !(set.sqlite.is_empty() && set.postgres.is_empty())
        };
        if self.sets.iter().any(|(_, set)| none(set)) {
            Err(MigrationError::none_for(backend))
        } else {
            Ok(())
        }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &'static Migration)> {
        let backend = self.database.backend();
        self.sets.iter().flat_map(move |(owner, migrations)| {
            migrations
                .of(backend)
                .iter()
                .map(|migration| (*owner, migration))
        })
    }

    fn compare(&self, applied: &[Applied], unfinished: &[Unfinished]) -> Vec<Status> {
        let mut all: Vec<Status> = self
            .all()
            .map(|(owner, migration)| {
                let row = applied
                    .iter()
                    .find(|row| row.owner == owner && row.version == migration.version);
                let begun = unfinished.iter().find(|one| one.is(owner, migration));
                let state = match (begun, row) {
                    (Some(begun), _) => begun.state(),
                    (None, None) => State::Pending,
                    (None, Some(row)) if row.checksum != history::checksum(migration) => {
                        State::Changed
                    }
                    (None, Some(row)) => State::Applied { at: row.at },
                };
                Status {
                    owner,
                    version: migration.version,
                    name: migration.name.to_owned(),
                    state,
                }
            })
            .collect();
        for row in applied {
            // A part of the framework that is no longer compiled in keeps its tables.
            let Some((owner, _)) = self.sets.iter().find(|(owner, _)| *owner == row.owner) else {
                continue;
            };
            let mut known = all.iter().filter(|status| {
                status.owner == *owner && !matches!(status.state, State::Missing | State::Newer)
            });
            if known.clone().any(|status| status.version == row.version) {
                continue;
            }
            let is_newer = known.clone().next().is_some()
                && known.all(|status| {
                    status.version < row.version && matches!(status.state, State::Applied { .. })
                });
            all.push(Status {
                owner,
                version: row.version,
                name: row.name.clone(),
                state: if is_newer {
                    State::Newer
                } else {
                    State::Missing
                },
            });
        }
        all
    }
}

/// Refuses what this program cannot continue from. The tables of a newer release are those of this
/// one too, if its migrations follow the guide.
fn refuse_wrong(status: &[Status]) -> Result<(), MigrationError> {
    refuse(status, |state| {
        matches!(
            state,
            State::Changed | State::Missing | State::Unfinished { .. }
        )
    })?;
    let newer = status.iter().rfind(|status| status.state == State::Newer);
    if let Some(Status { version, name, .. }) = newer {
        tracing::warn!(version, name, "a newer release has migrated the database");
    }
    Ok(())
}

/// Returns an error that names the first migration in such a state.
fn refuse(status: &[Status], is_wrong: impl Fn(State) -> bool) -> Result<(), MigrationError> {
    match status.iter().find(|status| is_wrong(status.state)) {
        Some(status) => Err(MigrationError::wrong(status)),
        None => Ok(()),
    }
}

fn is_among(applied: &[Applied], owner: &str, migration: &Migration) -> bool {
    applied
        .iter()
        .any(|row| row.owner == owner && row.version == migration.version)
}
