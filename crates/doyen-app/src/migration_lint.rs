//! Lints the migrations of an application and of its plugins.

use doyen_data::Migration;
use doyen_data::migrate::State;
use doyen_data::sea_orm::DbBackend;
use doyen_migration_lint::{File, Finding, Scope, lint};

use crate::Built;
use crate::fault::Fault;

/// What was linted, and what was found.
#[derive(Debug)]
pub(crate) struct Linted {
    /// Number of migrations for SQLite.
    pub(crate) sqlite: usize,
    /// Number of migrations for PostgreSQL.
    pub(crate) postgres: usize,
    pub(crate) findings: Vec<Finding>,
}

impl Built {
    /// Lints each migration by itself, for the databases of which the program has the driver.
    pub(crate) fn lint_migrations(&self) -> Linted {
        let sqlite = match cfg!(feature = "sqlite") {
            true => self.files(DbBackend::Sqlite, |_, _| true),
            false => Vec::new(),
        };
        let postgres = match cfg!(feature = "postgres") {
            true => self.files(DbBackend::Postgres, |_, _| true),
            false => Vec::new(),
        };
        let mut findings = lint(&sqlite, Scope::Each);
        findings.extend(lint(&postgres, Scope::Each));
        Linted {
            sqlite: sqlite.len(),
            postgres: postgres.len(),
            findings,
        }
    }

    /// Lints the migrations that are pending in the database, together.
    pub(crate) async fn lint_pending(&self) -> Result<Linted, Fault> {
        let status = self.migrator().status().await.map_err(Fault::from_error)?;
        let backend = self.database.backend();
        let files = self.files(backend, |owner, migration| {
            status.iter().any(|one| {
                one.state == State::Pending
                    && one.owner == owner
                    && one.version == migration.version
            })
        });
        let (sqlite, postgres) = match backend {
            DbBackend::Sqlite => (files.len(), 0),
            _ => (0, files.len()),
        };
        Ok(Linted {
            sqlite,
            postgres,
            findings: lint(&files, Scope::Run),
        })
    }

    /// Refuses to apply unsafe migrations in `prod`. Elsewhere it returns the findings.
    pub(crate) async fn check_pending(&self) -> Result<Vec<Finding>, Fault> {
        let findings = self.lint_pending().await?.findings;
        if findings.is_empty() || !self.info.environment.is_prod() {
            return Ok(findings);
        }
        let lines: Vec<String> = findings.iter().map(|one| format!("\n{one}")).collect();
        Err(Fault::new(format!(
            "pending migrations are unsafe for a database in use, and `prod` refuses them; nothing was applied. Rewrite them, or allow each finding in one of the two files of its migration with `-- doyen: allow <code> because <reason>`{}",
            lines.concat()
        )))
    }

    fn files(
        &self,
        backend: DbBackend,
        wanted: impl Fn(&str, &Migration) -> bool,
    ) -> Vec<File<'static>> {
        let after = self.core.database.migration_lint_after;
        let migrator = self.migrator();
        let sets = migrator.sets().iter();
        let files = sets.flat_map(|(owner, set)| {
            let all = set.of(backend).iter();
            let wanted = all.filter(|one| one.version > after && wanted(owner, one));
            wanted.map(|one| File::new(owner, set, backend, one))
        });
        files.collect()
    }
}
