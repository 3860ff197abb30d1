//! The migrations of new fields: for a table that has rows and is in use.
//!
//! The first one adds the columns, without reading the rows that exist. The second one checks these
//! rows and builds indexes, on PostgreSQL outside of a transaction, so that writers do not wait.

use crate::changes::Changes;
use crate::commands::domain::Index;
use crate::commands::migration::{self, following};
use crate::failure::Result;
use crate::field::{Field, Kind};
use crate::project::Project;
use crate::templates::SqlColumn;

/// SQLite has one writer, and builds an index while it waits. The linter wants the reason.
const INDEX_ON_SQLITE: &str = "\
-- Other writers wait until the index is built. If the table is large, apply it at a quiet time.
-- doyen: allow index_blocks_writer because SQLite builds an index in no other way
";

/// Longer names of migrations have the first field and a number.
const MAX_MIGRATION_NAME: usize = 80;

/// Adds the migrations.
pub(super) fn add(
    project: &Project,
    plural: &str,
    new: &[Field],
    owner: Option<&str>,
    changes: &mut Changes,
) -> Result {
    let name = migration_name(plural, new);
    let first = match project.version_of(&name)? {
        Some(version) => version,
        None => project.next_version()?,
    };
    let indexes: Vec<Index> = new
        .iter()
        .filter_map(|field| Index::of(plural, field, owner))
        .collect();
    let checked: Vec<(String, &Field)> = new
        .iter()
        .filter(|field| !SqlColumn::new(field, "postgres").constraint.is_empty())
        .map(|field| (constraint(plural, field), field))
        .collect();
    let has_second = match project.databases.contains(&"postgres") {
        true => !indexes.is_empty() || !checked.is_empty(),
        false => !indexes.is_empty(),
    };
    let suffix = if indexes.is_empty() {
        "checks"
    } else {
        "indexes"
    };
    let second = following(&first);
    for database in &project.databases {
        let (up, down) = columns(plural, new, &checked, database);
        migration::add(changes, database, &first, &name, up, down)?;
        if has_second {
            let name = format!("{name}_{suffix}");
            let (up, down) = match *database {
                "sqlite" => indexes_on_sqlite(&indexes),
                _ => online(plural, &indexes, &checked),
            };
            migration::add(changes, database, &second, &name, up, down)?;
        }
    }
    Ok(())
}

/// The name of the first migration: the fields, unless they are too many for the name of a file.
fn migration_name(plural: &str, new: &[Field]) -> String {
    let names: Vec<&str> = new.iter().map(|field| field.name.as_str()).collect();
    let all = format!("{plural}_{}", names.join("_"));
    match all.len() > MAX_MIGRATION_NAME {
        true => format!("{plural}_{}_and_{}_more", names[0], names.len() - 1),
        false => all,
    }
}

/// The name that PostgreSQL gives to the constraint of a column.
fn constraint(plural: &str, field: &Field) -> String {
    let ending = match field.kind {
        Kind::Ref(_) => "fkey",
        _ => "check",
    };
    format!("{plural}_{}_{ending}", field.name)
}

/// The columns, and on PostgreSQL their constraints for rows that are written from now on.
fn columns(
    plural: &str,
    new: &[Field],
    checked: &[(String, &Field)],
    database: &str,
) -> (String, String) {
    let (mut up, mut down) = (String::new(), String::new());
    for field in new {
        up.push_str(&add_column(plural, field, database));
        down.insert_str(
            0,
            &format!("ALTER TABLE {plural} DROP COLUMN {};\n", field.name),
        );
    }
    if database == "sqlite" {
        return (up, down);
    }
    for (name, field) in checked {
        let mut rule = SqlColumn::new(field, database).constraint;
        if matches!(field.kind, Kind::Ref(_)) {
            rule = format!("FOREIGN KEY ({}) {rule}", field.name);
        }
        up.push_str(&format!(
            "ALTER TABLE {plural} ADD CONSTRAINT {name} {rule} NOT VALID;\n"
        ));
    }
    (up, down)
}

fn indexes_on_sqlite(indexes: &[Index]) -> (String, String) {
    if indexes.is_empty() {
        let nothing = "-- Nothing to do on this database.\n".to_owned();
        return (nothing.clone(), nothing);
    }
    let ups: Vec<String> = indexes.iter().map(|index| index.create("")).collect();
    let downs = indexes.iter().rev();
    let downs: Vec<String> = downs
        .map(|index| format!("DROP INDEX {};\n", index.name))
        .collect();
    (
        format!("{INDEX_ON_SQLITE}{}\n", ups.join("\n")),
        downs.concat(),
    )
}

/// What PostgreSQL does without blocking writers, outside of a transaction.
fn online(plural: &str, indexes: &[Index], checked: &[(String, &Field)]) -> (String, String) {
    const HEAD: &str = "-- no-transaction\n";
    let mut up = HEAD.to_owned();
    let mut down = String::new();
    for index in indexes {
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {};\n", index.name);
        up.push_str(&format!("{drop}{}\n", index.create("CONCURRENTLY")));
        down.insert_str(0, &drop);
    }
    for (name, _) in checked {
        up.push_str(&format!(
            "ALTER TABLE {plural} VALIDATE CONSTRAINT {name};\n"
        ));
    }
    match down.is_empty() {
        true => (up, "-- Nothing to revert.\n".to_owned()),
        false => (up, format!("{HEAD}{down}")),
    }
}

fn add_column(plural: &str, field: &Field, database: &str) -> String {
    let SqlColumn {
        mut definition,
        constraint,
    } = SqlColumn::new(field, database);
    if let Some(value) = default(field).filter(|_| !field.is_optional) {
        let value = match (value.as_str(), database) {
            // SQLite has no booleans.
            ("false", "sqlite") => "0",
            (value, _) => value,
        };
        definition.push_str(&format!(" DEFAULT {value}"));
    }
    if database == "sqlite" && !constraint.is_empty() {
        definition = format!("{definition} {constraint}");
    }
    let comment = match field.is_optional {
        true => "",
        false => "-- The default is the value of the rows that exist.\n",
    };
    format!("{comment}ALTER TABLE {plural} ADD COLUMN {definition};\n")
}

/// Returns the value of a new column in the rows that exist. That of an enum is its first variant.
pub(super) fn default(field: &Field) -> Option<String> {
    let value = match &field.kind {
        Kind::Text => "''",
        Kind::U32 | Kind::I64 | Kind::F64 => "0",
        Kind::Decimal => "'0'",
        Kind::Bool => "false",
        Kind::Enum(variants) => return Some(format!("'{}'", variants[0])),
        Kind::Timestamp | Kind::Date | Kind::Ref(_) | Kind::Other(_) => return None,
    };
    Some(value.to_owned())
}
