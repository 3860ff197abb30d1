//! Migrations: SQL files, embedded in the program, applied in order, once.
//!
//! ```text
//! migrations/
//! ├── sqlite/    20261122093000_tickets.up.sql   20261122093000_tickets.down.sql
//! └── postgres/  20261122093000_tickets.up.sql   20261122093000_tickets.down.sql
//! ```
//!
//! `doyen::migrations!("migrations")` embeds both folders; a [`Migrator`] applies those of the database it is given.
//!
//! - Each migration runs in one transaction together with the row that says so: it happened whole or not at all.
//! - Processes that start together wait for each other; each migration is applied once.
//! - A file that was changed after it was applied, or that is gone, is refused by name: nothing is applied then.
//! - PostgreSQL: a migration that waits more than 2 s for a lock fails, instead of queueing all traffic behind it. A file that begins with
//!   `-- no-transaction` runs outside of one (`CREATE INDEX CONCURRENTLY`).
//! - SQLite: foreign keys are not enforced while a migration runs (tables are rebuilt by hand there), and checked before its commit.
//!
//! Why not sqlx's migrator: `docs/decisions/0004-database.md`.

mod error;
mod history;
mod schema;

use doyen_core::Timestamp;
use sea_orm::{DbBackend, DbErr};

pub use error::MigrationError;
use history::{Applied, History};

use crate::Database;
use crate::outbox::TABLES;

/// Who owns the tables of the framework itself.
const FRAMEWORK: &str = "doyen";
/// Who owns the tables of the application.
const APPLICATION: &str = "app";

/// One step of a schema, there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its place in the order; by convention the time it was written, `20261122093000`.
    pub version: i64,
    /// What it does: `tickets`.
    pub name: &'static str,
    /// The SQL that applies it.
    pub up: &'static str,
    /// The SQL that takes it back.
    pub down: &'static str,
}

/// The steps of a schema on both databases, as `doyen::migrations!` embeds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// For SQLite, in order.
    pub sqlite: &'static [Migration],
    /// For PostgreSQL, in order.
    pub postgres: &'static [Migration],
}

impl Migrations {
    fn of(&self, backend: DbBackend) -> &'static [Migration] {
        match backend {
            DbBackend::Sqlite => self.sqlite,
            _ => self.postgres,
        }
    }

    /// A word that is another one as soon as a migration is, the framework's own included: the name of a database that was migrated once
    /// to be copied often.
    pub fn fingerprint(&self) -> String {
        Self::fingerprint_of(&[*self])
    }

    /// Like [`fingerprint`](Self::fingerprint), of several sets together.
    pub fn fingerprint_of(sets: &[Migrations]) -> String {
        let all = std::iter::once(&TABLES).chain(sets);
        history::fingerprint(all.flat_map(|set| set.sqlite.iter().chain(set.postgres)))
    }
}

/// One migration and how it stands with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whose: `app`, or a part of the framework.
    pub owner: &'static str,
    /// Its place in the order.
    pub version: i64,
    /// What it does.
    pub name: String,
    /// How it stands.
    pub state: State,
}

/// How a migration stands with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was applied then.
    Applied {
        /// When.
        at: Timestamp,
    },
    /// It will be applied next.
    Pending,
    /// It was applied, and its file is not what it was.
    Changed,
    /// It was applied, and its file is gone.
    Missing,
}

/// Applies migrations to a database. See the [module](self).
///
/// ```no_run
/// # const MIGRATIONS: doyen_data::Migrations = doyen_data::Migrations { sqlite: &[], postgres: &[] };
/// use doyen_data::{Database, Migrator};
///
/// # async fn start(database: &Database) -> Result<(), doyen_data::MigrationError> {
/// let applied = Migrator::new(database, MIGRATIONS).up().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Migrator<'a> {
    database: &'a Database,
    // The application's come last: they may refer to the others.
    sets: Vec<(&'static str, Migrations)>,
    /// Former owners, and their names of today.
    renamed: Vec<(&'static str, &'static str)>,
}

impl<'a> Migrator<'a> {
    /// For the tables of the framework and those of the application.
    pub fn new(database: &'a Database, application: Migrations) -> Self {
        Self {
            database,
            sets: vec![(FRAMEWORK, TABLES), (APPLICATION, application)],
            renamed: Vec::new(),
        }
    }

    /// Adds the tables of another part of the framework, before those of the application. The name must not change later.
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

    /// Writes the names of today over the former ones.
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

    /// What was applied, with the names of today.
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

    /// Applies what is pending, in order; gives what was applied.
    ///
    /// # Errors
    ///
    /// The migration that failed, by name; those before it stay applied. Nothing is applied when a file was changed or is gone.
    pub async fn up(&self) -> Result<Vec<Status>, MigrationError> {
        self.refuse_none()?;
        let mut history = History::open(self.database).await?;
        history.prepare().await?;
        self.rename(&mut history).await?;
        let applied = history.applied().await?;
        refuse_wrong(&self.compare(&applied))?;
        let mut done = Vec::new();
        for (owner, migration) in self.all() {
            if applied
                .iter()
                .any(|row| row.owner == owner && row.version == migration.version)
            {
                continue;
            }
            // Another process may have been faster: it is asked again behind the lock.
            if let Some(at) = history.apply(owner, migration).await? {
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

    /// Takes the application's last migrations back; gives what was taken back, the last one first.
    ///
    /// # Errors
    ///
    /// The migration that failed, by name; those taken back before stay so.
    pub async fn down(&self, steps: usize) -> Result<Vec<Status>, MigrationError> {
        self.back(&[APPLICATION], steps).await
    }

    /// Takes everything back, the tables of the framework too: for tests.
    ///
    /// # Errors
    ///
    /// As [`down`](Self::down).
    pub async fn down_all(&self) -> Result<Vec<Status>, MigrationError> {
        let owners: Vec<&'static str> = self.sets.iter().map(|(owner, _)| *owner).collect();
        self.back(&owners, usize::MAX).await
    }

    async fn back(
        &self,
        owners: &[&'static str],
        steps: usize,
    ) -> Result<Vec<Status>, MigrationError> {
        let mut history = History::open(self.database).await?;
        history.prepare().await?;
        self.rename(&mut history).await?;
        let applied = history.applied().await?;
        refuse_wrong(&self.compare(&applied))?;
        let mut all: Vec<_> = self
            .all()
            .filter(|(owner, _)| owners.contains(owner))
            .collect();
        all.reverse();
        all.retain(|(owner, migration)| {
            applied
                .iter()
                .any(|row| row.owner == *owner && row.version == migration.version)
        });
        let mut done = Vec::new();
        for (owner, migration) in all.into_iter().take(steps) {
            if history.take_back(owner, migration).await? {
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

    /// Each migration and how it stands. Changes nothing.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn status(&self) -> Result<Vec<Status>, MigrationError> {
        let mut history = History::open(self.database).await?;
        let applied = self.applied(&mut history).await?;
        history.close().await;
        Ok(self.compare(&applied))
    }

    /// Makes sure that everything is applied. Changes nothing: for a production start, where somebody else migrates.
    ///
    /// # Errors
    ///
    /// The first migration that is pending, changed or missing.
    pub async fn check(&self) -> Result<(), MigrationError> {
        self.refuse_none()?;
        let status = self.status().await?;
        refuse_wrong(&status)?;
        match status
            .into_iter()
            .find(|status| status.state == State::Pending)
        {
            Some(status) => Err(MigrationError::pending(&status)),
            None => Ok(()),
        }
    }

    /// The schema as text, the same for the same tables, columns, indexes and constraints: compare it in tests.
    ///
    /// # Errors
    ///
    /// The database's.
    pub async fn schema(&self) -> Result<String, MigrationError> {
        let mut history = History::open(self.database).await?;
        let schema = history.schema().await?;
        history.close().await;
        Ok(schema)
    }

    /// An application that has migrations, but none for this database, does not work on it.
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

    fn compare(&self, applied: &[Applied]) -> Vec<Status> {
        let mut all: Vec<Status> = self
            .all()
            .map(|(owner, migration)| {
                let row = applied
                    .iter()
                    .find(|row| row.owner == owner && row.version == migration.version);
                let state = match row {
                    None => State::Pending,
                    Some(row) if row.checksum != history::checksum(migration) => State::Changed,
                    Some(row) => State::Applied { at: row.at },
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
            // A part of the framework that is not compiled in any more keeps its tables.
            let Some((owner, _)) = self.sets.iter().find(|(owner, _)| *owner == row.owner) else {
                continue;
            };
            if !all
                .iter()
                .any(|status| status.owner == *owner && status.version == row.version)
            {
                all.push(Status {
                    owner,
                    version: row.version,
                    name: row.name.clone(),
                    state: State::Missing,
                });
            }
        }
        all
    }
}

fn refuse_wrong(status: &[Status]) -> Result<(), MigrationError> {
    match status
        .iter()
        .find(|status| matches!(status.state, State::Changed | State::Missing))
    {
        Some(status) => Err(MigrationError::wrong(status)),
        None => Ok(()),
    }
}
