//! The statements of migrations, in the SQL of one database.

use doyen_core::table::{Column, ColumnKind, Index, Reference, Table};
use sea_orm::DbBackend;

use super::types;

/// Words that are no names without quotes, on one of the databases at least.
const RESERVED: &[&str] = &[
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "autoincrement",
    "between",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "commit",
    "constraint",
    "create",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// A name, with quotes if it needs them.
pub(super) fn ident(name: &str) -> String {
    let mut chars = name.chars();
    let is_plain = chars
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name);
    if is_plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A list of names.
pub(super) fn idents(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| ident(name)).collect();
    names.join(", ")
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the literal of a value that the user gave for a column.
pub(super) fn literal(kind: &ColumnKind, value: &str) -> Option<String> {
    match kind {
        ColumnKind::SmallInteger | ColumnKind::Integer | ColumnKind::BigInteger => {
            value.parse::<i64>().ok().map(|number| number.to_string())
        }
        ColumnKind::Float | ColumnKind::Double => {
            let number = value
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite());
            number.map(|number| format!("{number:?}"))
        }
        ColumnKind::Boolean => value.parse::<bool>().ok().map(|flag| flag.to_string()),
        ColumnKind::Text => Some(quoted(value)),
        ColumnKind::TimestampTz => {
            let time = chrono::DateTime::parse_from_rfc3339(value).ok()?.to_utc();
            Some(quoted(&time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()))
        }
        ColumnKind::Date => {
            let day = value.parse::<chrono::NaiveDate>().ok()?;
            Some(quoted(&day.to_string()))
        }
        ColumnKind::Bytes
        | ColumnKind::Uuid
        | ColumnKind::Timestamp
        | ColumnKind::Time
        | ColumnKind::Json
        | ColumnKind::JsonBinary
        | ColumnKind::Other(_) => None,
    }
}

/// Writes SQL for one database.
#[derive(Clone, Copy)]
pub(super) struct Sql(pub(super) DbBackend);

impl Sql {
    pub(super) fn is_sqlite(self) -> bool {
        self.0 == DbBackend::Sqlite
    }

    /// Returns the definition of a column under another name, without NOT NULL, a default, a
    /// reference or a key.
    pub(super) fn bare(self, column: &Column, name: &str) -> Result<(String, String), String> {
        let kind = types::name(&column.kind, self.0).ok_or_else(|| {
            let kind = match &column.kind {
                ColumnKind::Other(kind) => kind.as_str(),
                _ => "unknown",
            };
            format!(
                "the type {kind} of `{}` has no SQL here: write its migration by hand, with `--empty`",
                column.name
            )
        })?;
        let name = ident(name);
        let check = if self.is_sqlite() {
            check(&column.kind, &name)
        } else {
            String::new()
        };
        Ok((format!("{name} {kind}"), check))
    }

    /// Returns the definition of a column.
    pub(super) fn column(
        self,
        column: &Column,
        reference: Option<&Reference>,
        default: Option<&str>,
    ) -> Result<String, String> {
        let (mut sql, check) = self.bare(column, &column.name)?;
        if !column.is_nullable {
            sql.push_str(" NOT NULL");
        }
        if let Some(default) = default {
            sql.push_str(&format!(" DEFAULT {}", self.value(&column.kind, default)));
        }
        match reference {
            // The values of the other table have the right form.
            Some(reference) => {
                sql.push(' ');
                sql.push_str(&references(reference));
            }
            None => sql.push_str(&check),
        }
        Ok(sql)
    }

    /// SQLite has no booleans.
    pub(super) fn value(self, kind: &ColumnKind, literal: &str) -> String {
        match (kind, literal) {
            (ColumnKind::Boolean, "true") if self.is_sqlite() => "1".to_owned(),
            (ColumnKind::Boolean, "false") if self.is_sqlite() => "0".to_owned(),
            _ => literal.to_owned(),
        }
    }

    /// Returns the statements that create a table with its indexes.
    pub(super) fn create_table(self, table: &Table) -> Result<String, String> {
        let mut lines = Vec::new();
        for column in &table.columns {
            let mut references = table.references.iter();
            let reference = references.find(|reference| reference.column == column.name);
            let line = if table.primary_key == [column.name.as_str()] {
                self.key(column, reference)?
            } else {
                self.column(column, reference, column.default.as_deref())?
            };
            lines.push(format!("    {line}"));
        }
        if table.primary_key.len() > 1 {
            let key = idents(&table.primary_key);
            lines.push(format!("    PRIMARY KEY ({key})"));
        }
        let strict = if self.is_sqlite() { " STRICT" } else { "" };
        let name = ident(&table.name);
        let mut sql = format!("CREATE TABLE {name} (\n{}\n){strict};\n", lines.join(",\n"));
        for index in &table.indexes {
            sql.push('\n');
            sql.push_str(&self.create_index(&table.name, index, false));
        }
        Ok(sql)
    }

    /// A primary key of one column.
    fn key(self, column: &Column, reference: Option<&Reference>) -> Result<String, String> {
        let (name, check) = self.bare(column, &column.name)?;
        let reference = reference.map_or_else(String::new, |reference| {
            format!(" {}", references(reference))
        });
        let key = match (column.is_auto_increment, self.is_sqlite()) {
            (true, true) => "PRIMARY KEY AUTOINCREMENT",
            (true, false) => "PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY",
            (false, true) => "PRIMARY KEY NOT NULL",
            (false, false) => "PRIMARY KEY",
        };
        Ok(format!("{name} {key}{check}{reference}"))
    }

    pub(super) fn create_index(self, table: &str, index: &Index, is_online: bool) -> String {
        let unique = if index.is_unique { "UNIQUE " } else { "" };
        let (name, table, columns) = (ident(&index.name), ident(table), idents(&index.columns));
        if is_online && !self.is_sqlite() {
            return format!(
                "DROP INDEX CONCURRENTLY IF EXISTS {name};\nCREATE {unique}INDEX CONCURRENTLY {name} ON {table} ({columns});\n"
            );
        }
        format!("CREATE {unique}INDEX {name} ON {table} ({columns});\n")
    }

    pub(super) fn drop_index(self, name: &str) -> String {
        let name = ident(name);
        if self.is_sqlite() {
            format!("DROP INDEX {name};\n")
        } else {
            format!("DROP INDEX CONCURRENTLY IF EXISTS {name};\n")
        }
    }
}

pub(super) fn references(reference: &Reference) -> String {
    let on_delete = reference
        .on_delete
        .map_or_else(String::new, |action| format!(" ON DELETE {action}"));
    let (table, key) = (ident(&reference.table), ident(&reference.key));
    format!("REFERENCES {table} ({key}){on_delete}")
}

/// Refuses values that are not in their stored form.
fn check(kind: &ColumnKind, name: &str) -> String {
    match kind {
        ColumnKind::Boolean => format!(" CHECK ({name} IN (0, 1))"),
        ColumnKind::Uuid => format!(" CHECK (length({name}) = 16)"),
        ColumnKind::TimestampTz => {
            format!(" CHECK ({name} GLOB '????-??-??T??:??:??*+00:00')")
        }
        ColumnKind::Date => format!(" CHECK ({name} GLOB '????-??-??')"),
        _ => String::new(),
    }
}
