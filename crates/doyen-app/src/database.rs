//! The database of an application: its tables, health check and metrics.

use std::time::Duration;

use doyen_core::table::Table;
use doyen_data::{Database, Migrations, Migrator};

use crate::claims::Kind;
use crate::entry::Entry;
use crate::fault::Fault;
use crate::registrar::{Draft, Registrar};
use crate::settings::MigrateMode;
use crate::{Alert, Built, Family, Impact};

/// Maximum time of the health check.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

const CONNECTIONS: &str = "db_pool_connections";
const MAX_CONNECTIONS: &str = "db_pool_max_connections";
const TRANSACTIONS: &str = "db_transactions_total";

const FAMILIES: &[Family] = &[
    Family::gauge(CONNECTIONS, "Connections to the database, by state.")
        .labels(&["state"])
        .alerts(&[Alert::warning(
            "DatabasePoolExhausted",
            "sum by (job, instance) (db_pool_connections{$app, state=\"open\"}) \
             - sum by (job, instance) (db_pool_connections{$app, state=\"idle\"}) \
             >= sum by (job, instance) (db_pool_max_connections{$app})",
            "Every connection of a process to the database is in use, and requests wait. Look for \
             slow statements, or raise `database.max_connections`.",
        )
        .lasting(Duration::from_mins(2))]),
    Family::gauge(
        MAX_CONNECTIONS,
        "Maximum number of connections to the database.",
    ),
    Family::counter(
        TRANSACTIONS,
        "Transactions by their end; `unknown` if the connection was lost during the commit.",
    )
    .labels(&["end"])
    .alerts(&[Alert::warning(
        "CommitsUnknown",
        "sum by (job) (increase(db_transactions_total{$app, end=\"unknown\"}[15m])) > 0",
        "The connection to the database was lost during a commit, whose outcome is unknown. The log \
         has the requests.",
    )]),
];

/// All tables of an application, in the order in which they are migrated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    plugins: Vec<(&'static str, Migrations)>,
    /// Former names of plugins, and their names of today.
    renamed: Vec<(&'static str, &'static str)>,
    application: Migrations,
    /// The tables that entities of modules declare.
    declared: Vec<Table>,
}

/// Collects the tables. Two plugins cannot have tables under one name.
pub(crate) fn tables(
    entries: &[Entry],
    application: Option<Migrations>,
    draft: &mut Draft,
) -> Tables {
    let mut tables = Tables {
        application: application.unwrap_or_default(),
        ..Tables::default()
    };
    for entry in entries {
        let mut registrar = Registrar {
            draft,
            owner: entry.owner(),
        };
        for former in &entry.manifest.formerly {
            registrar.claim(Kind::Tables, former);
            tables.renamed.push((former, entry.name));
        }
        if let Some(migrations) = entry.manifest.tables
            && registrar.claim(Kind::Tables, entry.name)
        {
            tables.plugins.push((entry.name, migrations));
        }
    }
    tables
}

impl Tables {
    /// Checks that the program contains every migration of its source.
    pub(crate) fn check_folders(&self) -> Result<(), Fault> {
        let plugins = self.plugins.iter().map(|(_, set)| set);
        plugins
            .chain([&self.application])
            .try_for_each(Migrations::check_folder)
            .map_err(Fault::from_error)
    }

    /// Adds the tables that the entities of a module declare.
    pub(crate) fn declare(&mut self, tables: Vec<Table>) {
        for table in tables {
            let mut known = self.declared.iter_mut();
            match known.find(|known| known.name == table.name) {
                Some(known) => known.merge(table),
                None => self.declared.push(table),
            }
        }
    }

    pub(crate) fn declared(&self) -> &[Table] {
        &self.declared
    }

    /// The migrations of the application itself.
    pub(crate) const fn application(&self) -> &Migrations {
        &self.application
    }

    pub(crate) fn migrator<'a>(&self, database: &'a Database) -> Migrator<'a> {
        let migrator = Migrator::new(database, self.application);
        let migrator = self
            .plugins
            .iter()
            .fold(migrator, |migrator, (owner, set)| {
                migrator.with(owner, *set)
            });
        self.renamed
            .iter()
            .fold(migrator, |migrator, (old, new)| migrator.renamed(old, new))
    }
}

/// Adds the health check, the metrics and the classification of database errors.
pub(crate) fn register(app: &mut Registrar<'_>) {
    app.classify_errors(doyen_data::classify);
    let database = app.database();
    app.health("database", Impact::Required, HEALTH_TIMEOUT, move || {
        let database = database.clone();
        async move {
            database
                .ping()
                .await
                .map_err(|error| doyen_core::chain(&error))
        }
    });
    let database = app.database();
    app.metrics_of("database", FAMILIES, move |samples| {
        let pool = database.pool();
        samples.value(CONNECTIONS, &[("state", "open")], pool.open);
        samples.value(CONNECTIONS, &[("state", "idle")], pool.idle);
        samples.value(MAX_CONNECTIONS, &[], pool.max);
        let transactions = database.transactions();
        for (end, count) in [
            ("committed", transactions.committed),
            ("rolled_back", transactions.rolled_back),
            ("unknown", transactions.unknown),
        ] {
            samples.value(TRANSACTIONS, &[("end", end)], count);
        }
    });
}

impl Built {
    /// The migrations, for the database of the application.
    pub fn migrator(&self) -> Migrator<'_> {
        self.tables.migrator(&self.database)
    }

    /// The tables that the entities of the application declare.
    pub fn declared_tables(&self) -> &[Table] {
        self.tables.declared()
    }

    /// Updates or checks the schema, as `database.migrate` says.
    pub(crate) async fn migrate(&self) -> Result<(), Fault> {
        let failed = |error| Fault::from_error(error);
        let migrated = match self.core.database.mode(self.info.environment.is_prod()) {
            MigrateMode::Auto => {
                #[cfg(feature = "migration-lint")]
                if self.info.environment.is_prod() {
                    self.check_pending().await?;
                }
                self.migrator().up().await.map(|_| ()).map_err(failed)
            }
            MigrateMode::Check => self.migrator().check().await.map_err(failed),
            MigrateMode::Off => Ok(()),
        };
        migrated?;
        // The tables may have grown since the last run. Without statistics queries are only slower.
        if let Err(error) = self.database.optimize().await {
            tracing::warn!(%error, "the planner statistics were not updated");
        }
        Ok(())
    }
}
