//! What differs between the table of an entity and that of a database.

use std::fmt;

use doyen_core::table::{Column, Index, Reference, Table};
use sea_orm::DbBackend;

use super::found::{FoundColumn, FoundIndex, FoundTable};
use super::types;

/// One difference of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: String,
    /// What differs.
    pub change: Change,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The table is missing.
    MissingTable,
    /// The entity is that of a view.
    View,
    /// A column is missing.
    MissingColumn(Column),
    /// No entity has this column.
    ExtraColumn(FoundColumn),
    /// A column has a type that does not hold the values of the entity.
    Type {
        /// The column.
        column: String,
        /// The type that a new column would have.
        expected: &'static str,
        /// The type in the database.
        found: String,
    },
    /// A column can be NULL, or cannot.
    Nullability {
        /// The column.
        column: Column,
        /// True if it can be NULL in the database.
        is_nullable: bool,
    },
    /// The primary key has other columns.
    PrimaryKey {
        /// The columns of the entity.
        expected: Vec<String>,
        /// The columns in the database.
        found: Vec<String>,
    },
    /// A declared index is missing.
    MissingIndex(Index),
    /// An index that a migration creates is missing.
    MissingNamedIndex(String),
    /// An index whose creation failed half-way.
    InvalidIndex(String),
    /// No entity declares this index.
    ExtraIndex(FoundIndex),
    /// A declared reference is missing.
    MissingReference(Reference),
}

impl Change {
    /// True for something that only the database has.
    pub const fn is_extra(&self) -> bool {
        matches!(self, Self::ExtraColumn(_) | Self::ExtraIndex(_))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &self.table;
        match &self.change {
            Change::MissingTable => write!(f, "missing table `{table}`"),
            Change::View => write!(
                f,
                "`{table}` is a view: remove `.entity::<..>()` of its entity from the module"
            ),
            Change::MissingColumn(column) => {
                write!(f, "missing column `{table}.{}`", column.name)
            }
            Change::ExtraColumn(column) => {
                write!(
                    f,
                    "extra column `{table}.{}` ({})",
                    column.name, column.kind
                )
            }
            Change::Type {
                column,
                expected,
                found,
            } => write!(f, "`{table}.{column}` is {found}, not {expected}"),
            Change::Nullability {
                column,
                is_nullable,
            } => match is_nullable {
                true => write!(f, "`{table}.{}` can be NULL", column.name),
                false => write!(f, "`{table}.{}` cannot be NULL", column.name),
            },
            Change::PrimaryKey { expected, found } => write!(
                f,
                "the primary key of `{table}` is ({}), not ({})",
                found.join(", "),
                expected.join(", ")
            ),
            Change::MissingIndex(index) => {
                let unique = if index.is_unique { "unique " } else { "" };
                let columns = index.columns.join(", ");
                write!(f, "missing {unique}index on `{table}` ({columns})")
            }
            Change::MissingNamedIndex(name) => {
                write!(
                    f,
                    "missing index `{name}` on `{table}`, which a migration creates"
                )
            }
            Change::InvalidIndex(name) => write!(
                f,
                "the index `{name}` on `{table}` is invalid: its creation failed. Drop it and create it again"
            ),
            Change::ExtraIndex(index) => {
                let unique = if index.is_unique { "unique " } else { "" };
                write!(f, "extra {unique}index `{}` on `{table}`", index.name)
            }
            Change::MissingReference(reference) => write!(
                f,
                "missing reference of `{table}.{}` to `{}`",
                reference.column, reference.table
            ),
        }
    }
}

/// Compares a table with the one in the database, if it is there.
pub fn differences(
    expected: &Table,
    found: Option<&FoundTable>,
    backend: DbBackend,
) -> Vec<Difference> {
    let changes = match found {
        None => vec![Change::MissingTable],
        Some(found) if found.is_view => vec![Change::View],
        Some(found) => {
            let mut changes = columns(expected, found, backend);
            changes.extend(keys(expected, found));
            changes.extend(extra(expected, found));
            changes
        }
    };
    let of_table = |change| Difference {
        table: expected.name.clone(),
        change,
    };
    changes.into_iter().map(of_table).collect()
}

fn columns(expected: &Table, found: &FoundTable, backend: DbBackend) -> Vec<Change> {
    let mut changes = Vec::new();
    for column in &expected.columns {
        let Some(known) = found.column(&column.name) else {
            changes.push(Change::MissingColumn(column.clone()));
            continue;
        };
        if !types::fits(&column.kind, &known.kind, backend) {
            changes.push(Change::Type {
                column: column.name.clone(),
                expected: types::name(&column.kind, backend).unwrap_or_default(),
                found: known.kind.clone(),
            });
        }
        // A key is never NULL, whatever SQLite says about it.
        let is_key = expected.primary_key.contains(&column.name);
        if column.is_nullable != known.is_nullable && !is_key && !known.is_generated {
            changes.push(Change::Nullability {
                column: column.clone(),
                is_nullable: known.is_nullable,
            });
        }
    }
    changes
}

/// The primary key, the indexes and the references.
fn keys(expected: &Table, found: &FoundTable) -> Vec<Change> {
    let mut changes = Vec::new();
    if expected.primary_key != found.primary_key {
        changes.push(Change::PrimaryKey {
            expected: expected.primary_key.clone(),
            found: found.primary_key.clone(),
        });
    }
    for index in &expected.indexes {
        let has = found.indexes.iter().any(|known| serves(index, known));
        if !has && index.columns != found.primary_key {
            changes.push(Change::MissingIndex(index.clone()));
        }
    }
    for reference in &expected.references {
        let has = found
            .references
            .iter()
            .any(|known| known.column == reference.column && known.table == reference.table);
        if !has {
            changes.push(Change::MissingReference(reference.clone()));
        }
    }
    changes
}

/// True if an index of the database is the declared one. A unique index serves as a plain one.
fn serves(index: &Index, known: &FoundIndex) -> bool {
    known.columns == index.columns
        && (known.is_unique || !index.is_unique)
        && !known.is_partial
        && known.is_valid
}

fn extra(expected: &Table, found: &FoundTable) -> Vec<Change> {
    let mut changes = Vec::new();
    for column in &found.columns {
        if expected.column(&column.name).is_none() {
            changes.push(Change::ExtraColumn(column.clone()));
        }
    }
    for known in &found.indexes {
        if !known.is_valid {
            changes.push(Change::InvalidIndex(known.name.clone()));
        } else if !expected.indexes.iter().any(|index| serves(index, known)) {
            changes.push(Change::ExtraIndex(known.clone()));
        }
    }
    changes
}
