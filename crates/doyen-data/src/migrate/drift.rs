//! Compares the database with the tables of the entities. Reads the catalog only.

use doyen_core::table::Table;
use sea_orm::{DbBackend, DbErr};

use super::history::History;
use super::{APPLICATION, Migration, MigrationError, Migrator, State};
use crate::schema::{self, Difference, FoundTable, Mentioned, differences};

/// Begins the reads. They wait for no lock, and for at most ten seconds each.
const BEGIN_POSTGRES: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'; \
                              SET LOCAL lock_timeout = '2s'";

impl Migrator<'_> {
    /// Returns the tables of these names that the database has. Changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn tables<'t>(
        &self,
        names: impl Iterator<Item = &'t str>,
    ) -> Result<Vec<FoundTable>, MigrationError> {
        let mut history = History::open(self.database).await?;
        let found = read(&mut history, names).await;
        history.close().await;
        Ok(found?)
    }

    /// Returns what differs between the database and the tables of the entities. Columns and
    /// indexes that no entity declares count if no applied migration mentions them either. Changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// Returns an error if the database fails.
    pub async fn drift(&self, tables: &[Table]) -> Result<Vec<Difference>, MigrationError> {
        let names = tables.iter().map(|table| table.name.as_str());
        let found = self.tables(names).await?;
        let status = self.status().await?;
        let is_applied = |migration: &&Migration| {
            status.iter().any(|one| {
                one.owner == APPLICATION
                    && one.version == migration.version
                    && matches!(one.state, State::Applied { .. })
            })
        };
        let backend = self.database.backend();
        let own = self.all().filter(|(owner, _)| *owner == APPLICATION);
        let applied = own.map(|(_, migration)| migration).filter(is_applied);
        let mentioned = Mentioned::of(applied, backend);
        let mut all = Vec::new();
        for table in tables {
            let known = found.iter().find(|known| known.name == table.name);
            let differences = differences(table, known, backend);
            all.extend(mentioned.settle(differences, table, known));
        }
        Ok(all)
    }
}

async fn read<'t>(
    history: &mut History,
    names: impl Iterator<Item = &'t str>,
) -> Result<Vec<FoundTable>, DbErr> {
    let begin = match history.backend {
        DbBackend::Sqlite => "BEGIN",
        _ => BEGIN_POSTGRES,
    };
    history.run_sql(begin).await?;
    let mut found = Vec::new();
    for name in names {
        found.extend(schema::read(history, name).await?);
    }
    history.run_sql("COMMIT").await?;
    Ok(found)
}
