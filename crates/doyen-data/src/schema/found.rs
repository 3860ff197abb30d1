//! The tables of a database, as its catalog describes them.

use sea_orm::{DbBackend, DbErr};

use crate::migrate::History;

/// A table, or a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundTable {
    /// Name.
    pub name: String,
    /// True for a view.
    pub is_view: bool,
    /// Columns, in order.
    pub columns: Vec<FoundColumn>,
    /// Columns of the primary key.
    pub primary_key: Vec<String>,
    /// Indexes and unique constraints, without the primary key.
    pub indexes: Vec<FoundIndex>,
    /// References of one column.
    pub references: Vec<FoundReference>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundColumn {
    /// Name.
    pub name: String,
    /// Type, in the words of the database.
    pub kind: String,
    /// True if it can be NULL.
    pub is_nullable: bool,
    /// True if it has a default.
    pub has_default: bool,
    /// True if it is computed from other columns.
    pub is_generated: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundIndex {
    /// Name.
    pub name: String,
    /// Columns, in order. Empty if one of them is an expression.
    pub columns: Vec<String>,
    /// True if no two rows have the same values.
    pub is_unique: bool,
    /// True if it covers only some rows.
    pub is_partial: bool,
    /// False after a `CREATE INDEX CONCURRENTLY` that failed.
    pub is_valid: bool,
    /// True if it belongs to a constraint of the table.
    pub is_constraint: bool,
}

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundReference {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: String,
}

impl FoundTable {
    pub(super) fn column(&self, name: &str) -> Option<&FoundColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Reads one table. `None` if there is none of this name.
pub(crate) async fn read(history: &mut History, name: &str) -> Result<Option<FoundTable>, DbErr> {
    match history.backend {
        DbBackend::Sqlite => super::sqlite::read(history, name).await,
        _ => super::postgres::read(history, name).await,
    }
}
