//! The names that migrations mention: what a migration created by hand is no drift, although no
//! entity declares it.

use std::collections::{BTreeMap, HashSet};

use doyen_core::table::Table;
use sea_orm::DbBackend;

use super::difference::{Change, Difference};
use super::found::FoundTable;
use crate::migrate::{Migration, statements};

/// The words of the migrations that are applied.
#[derive(Debug, Default)]
pub(crate) struct Mentioned {
    /// The words of each statement.
    statements: Vec<HashSet<String>>,
    /// The indexes that exist after all statements, with their tables.
    indexes: BTreeMap<String, String>,
}

impl Mentioned {
    /// Reads migrations, in order.
    pub(crate) fn of<'a>(
        migrations: impl Iterator<Item = &'a Migration>,
        backend: DbBackend,
    ) -> Self {
        let mut mentioned = Self::default();
        for migration in migrations {
            for statement in statements(migration.up, backend) {
                mentioned.read(statement);
            }
        }
        mentioned
    }

    fn read(&mut self, statement: &str) {
        let words: Vec<String> = statement
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut rest = words.iter().map(String::as_str).filter(|word| {
            !matches!(
                *word,
                "unique" | "concurrently" | "if" | "not" | "exists" | "only"
            )
        });
        match (rest.next(), rest.next()) {
            (Some("create"), Some("index")) => {
                if let (Some(name), Some("on"), Some(table)) =
                    (rest.next(), rest.next(), rest.next())
                {
                    self.indexes.insert(name.to_owned(), table.to_owned());
                }
            }
            // What else a statement does with a table or an index is not followed: nothing is
            // expected of it any more.
            (Some("drop"), Some("index" | "table")) | (Some("alter"), Some("index")) => {
                self.forget(rest);
            }
            (Some("alter"), Some("table"))
                if words.iter().any(|word| word == "drop" || word == "rename") =>
            {
                self.forget(rest.take(1));
            }
            _ => {}
        }
        self.statements.push(words.into_iter().collect());
    }

    fn forget<'a>(&mut self, names: impl Iterator<Item = &'a str>) {
        for name in names {
            self.indexes
                .retain(|index, table| index != name && table != name);
        }
    }

    /// True if one statement has both words.
    fn has(&self, table: &str, name: &str) -> bool {
        let (table, name) = (table.to_lowercase(), name.to_lowercase());
        self.statements
            .iter()
            .any(|words| words.contains(&table) && words.contains(&name))
    }

    /// Removes what migrations made by hand from differences, and adds their indexes that are
    /// missing.
    pub(crate) fn settle(
        &self,
        differences: Vec<Difference>,
        expected: &Table,
        found: Option<&FoundTable>,
    ) -> Vec<Difference> {
        let mut differences: Vec<Difference> = differences
            .into_iter()
            .filter(|difference| match &difference.change {
                Change::ExtraColumn(column) => !self.has(&expected.name, &column.name),
                Change::ExtraIndex(index) => !self.has(&expected.name, &index.name),
                _ => true,
            })
            .collect();
        let Some(found) = found else {
            return differences;
        };
        let table = expected.name.to_lowercase();
        for (name, _) in self.indexes.iter().filter(|(_, on)| **on == table) {
            let has = |index: &super::FoundIndex| index.name.to_lowercase() == *name;
            let is_declared = expected.indexes.iter().any(|index| index.name == *name);
            if !found.indexes.iter().any(has) && !is_declared {
                differences.push(Difference {
                    table: expected.name.clone(),
                    change: Change::MissingNamedIndex(name.clone()),
                });
            }
        }
        differences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_expected_until_a_statement_removes_it_or_its_table() {
        let up = "CREATE TABLE a (b text);\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_by_b ON ONLY a (b);\n\
                  CREATE INDEX a_by_c ON a (c); DROP INDEX CONCURRENTLY IF EXISTS a_by_c;\n\
                  CREATE INDEX d_by_e ON d (e); ALTER TABLE d DROP COLUMN e;";
        let migration = Migration {
            version: 1,
            name: "a",
            up,
            down: "",
        };
        let mentioned = Mentioned::of([&migration].into_iter(), DbBackend::Postgres);
        let names: Vec<&str> = mentioned.indexes.keys().map(String::as_str).collect();
        assert_eq!(names, ["a_by_b"]);
        assert!(mentioned.has("a", "B") && !mentioned.has("a", "e"));
    }
}
