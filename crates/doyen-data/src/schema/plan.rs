//! From a difference to migrations: expand before contract, and nothing that has to be guessed.

use doyen_core::table::{Column, Index, Reference, Table};
use sea_orm::DbBackend;

use super::difference::{Change, Difference, differences};
use super::found::{FoundColumn, FoundTable};
use super::sql::{Sql, ident, literal, references};
use super::types;

/// The reason that the linter of migrations wants for an index on SQLite.
const INDEX_ON_SQLITE: &str = "\
-- Other writers wait until the index is built. If the table is large, apply it at a quiet time.
-- doyen: allow index_blocks_writer because SQLite builds an index in no other way
";

/// The reasons for a column of SQLite that takes the place of another one.
const COLUMN_ON_SQLITE: &str = "\
-- SQLite cannot change a column. A new one takes its place: CHECK constraints of the old one
-- that were written by hand have to be added here.
-- doyen: allow drop_column because another column takes its place in the same transaction
-- doyen: allow rename_column because it takes the place of the dropped one
-- doyen: allow backfill_with_schema_change because SQLite changes a column in no other way
";

/// The reason for a migration that has nothing to revert but that it can be applied again.
const NO_WAY_BACK: &str =
    "-- doyen: allow missing_down because what it would revert may be in use already\n";

/// What the user said about changes that a difference does not explain. Columns are `table.column`.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Renamed columns: `orders.name`, and the new name `title`.
    pub renames: Vec<(String, String)>,
    /// Columns to drop.
    pub drops: Vec<String>,
    /// Columns that stay without a field.
    pub keeps: Vec<String>,
    /// Values of columns for the rows that exist.
    pub defaults: Vec<(String, String)>,
}

/// The migrations of a difference, for one database.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What differs, without columns and indexes that only the database has.
    pub differences: Vec<Difference>,
    /// Columns that no entity has, and that stay.
    pub kept: Vec<String>,
    /// At most one migration for each phase, in order.
    pub drafts: Vec<Draft>,
}

/// The SQL of one migration.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its phase.
    pub phase: Phase,
    /// Applies it.
    pub up: String,
    /// Reverts it.
    pub down: String,
}

/// A step of a change without downtime. Each is a migration of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// New tables and columns. The former version of the program goes on.
    Expand,
    /// Indexes and checks of the rows that exist, outside of a transaction on PostgreSQL.
    Online,
    /// Columns that no version of the program uses any more.
    Contract,
}

/// Returns the migrations that make the tables out of those that were found. `found_on` is the
/// database that they were found on, and `backend` the one to write for.
///
/// # Errors
///
/// Returns every question that the user has to answer, and every change that has to be written by
/// hand.
pub fn plan(
    tables: &[Table],
    found: &[FoundTable],
    found_on: DbBackend,
    backend: DbBackend,
    answers: &Answers,
) -> Result<Plan, Vec<String>> {
    let mut planner = Planner {
        sql: Sql(backend),
        found_on,
        answers,
        found: found.to_vec(),
        steps: Vec::new(),
        faults: Vec::new(),
    };
    planner.check_answers(tables);
    planner.rename(tables);
    let mut all = Vec::new();
    for table in tables {
        let known = planner.found.iter().find(|known| known.name == table.name);
        all.extend(differences(table, known, found_on));
    }
    planner.ask(&all);
    let new = planner.new_tables(tables, &all);
    for table in new {
        planner.create(table);
    }
    let mut plan = Plan::default();
    for difference in all {
        if let Some(table) = tables.iter().find(|table| table.name == difference.table) {
            planner.change(table, &difference.change, &mut plan);
        }
        if !difference.change.is_extra() {
            plan.differences.push(difference);
        }
    }
    if !planner.faults.is_empty() {
        planner.faults.sort();
        planner.faults.dedup();
        return Err(planner.faults);
    }
    plan.drafts = planner.drafts();
    Ok(plan)
}

struct Step {
    phase: Phase,
    up: String,
    down: String,
}

struct Planner<'a> {
    sql: Sql,
    found_on: DbBackend,
    answers: &'a Answers,
    found: Vec<FoundTable>,
    steps: Vec<Step>,
    faults: Vec<String>,
}

impl Planner<'_> {
    fn step(&mut self, phase: Phase, up: impl Into<String>, down: impl Into<String>) {
        let (up, down) = (up.into(), down.into());
        self.steps.push(Step { phase, up, down });
    }

    fn fault(&mut self, text: impl Into<String>) {
        self.faults.push(text.into());
    }

    fn has_column(&self, place: &str) -> bool {
        let (table, column) = place.split_once('.').unwrap_or_default();
        let mut found = self.found.iter();
        found.any(|known| known.name == table && known.column(column).is_some())
    }

    /// Refuses an answer about something that is not there.
    fn check_answers(&mut self, tables: &[Table]) {
        let answers = self.answers;
        let old = answers.renames.iter().map(|(old, _)| old);
        for place in old.chain(&answers.drops).chain(&answers.keeps) {
            if !self.has_column(place) {
                self.fault(format!(
                    "there is no column `{place}` after the migrations: write `table.column`, of a table that an entity declares"
                ));
            }
        }
        for place in answers.drops.iter() {
            let (table, column) = place.split_once('.').unwrap_or_default();
            let mut tables = tables.iter().filter(|known| known.name == table);
            if tables.any(|table| table.column(column).is_some()) {
                self.fault(format!(
                    "`{place}` cannot be dropped: an entity has it. Remove its field first"
                ));
            }
        }
    }

    /// Applies the renames to what was found.
    fn rename(&mut self, tables: &[Table]) {
        for (place, new) in &self.answers.renames {
            let (table, old) = place.split_once('.').unwrap_or_default();
            let mut expected = tables.iter().filter(|known| known.name == table);
            let fits =
                expected.any(|table| table.column(new).is_some() && table.column(old).is_none());
            let Some(known) = self.found.iter_mut().find(|known| known.name == table) else {
                continue;
            };
            if !fits || known.column(new).is_some() {
                self.faults.push(format!(
                    "`{place}` cannot be renamed to `{new}`: the entity must have `{new}` and not `{old}`, and the table the reverse"
                ));
                continue;
            }
            let rename = |name: &mut String| {
                if name == old {
                    new.clone_into(name);
                }
            };
            known
                .columns
                .iter_mut()
                .for_each(|column| rename(&mut column.name));
            known.primary_key.iter_mut().for_each(rename);
            known
                .references
                .iter_mut()
                .for_each(|known| rename(&mut known.column));
            for index in &mut known.indexes {
                index.columns.iter_mut().for_each(rename);
            }
            let (table, old, new) = (ident(table), ident(old), ident(new));
            let note = "-- The former version of the program fails after this: stop it before. To keep it running,\n\
                        -- add a column, copy the values, and drop the old column in a later release.\n";
            self.step(
                Phase::Expand,
                format!("{note}ALTER TABLE {table} RENAME COLUMN {old} TO {new};\n"),
                format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old};\n"),
            );
        }
    }

    /// Asks about a new column that may be an old one.
    fn ask(&mut self, all: &[Difference]) {
        for new in all {
            let Change::MissingColumn(column) = &new.change else {
                continue;
            };
            for old in all.iter().filter(|old| old.table == new.table) {
                let Change::ExtraColumn(extra) = &old.change else {
                    continue;
                };
                let place = format!("{}.{}", old.table, extra.name);
                let is_answered =
                    self.answers.drops.contains(&place) || self.answers.keeps.contains(&place);
                if is_answered
                    || extra.is_generated
                    || !types::fits(&column.kind, &extra.kind, self.found_on)
                {
                    continue;
                }
                let name = &column.name;
                self.fault(format!(
                    "is `{}.{name}` new, or is it the column `{}` under another name? If it was renamed: `--rename {place}={name}`. If not: `--drop {place}` or `--keep {place}`",
                    old.table, extra.name
                ));
            }
        }
    }

    /// Returns the new tables: a table that others refer to comes before them.
    fn new_tables<'t>(&mut self, tables: &'t [Table], all: &[Difference]) -> Vec<&'t Table> {
        let is_new = |name: &str| {
            let mut all = all.iter();
            all.any(|one| one.table == name && one.change == Change::MissingTable)
        };
        let mut left: Vec<&Table> = tables.iter().filter(|table| is_new(&table.name)).collect();
        let mut sorted: Vec<&Table> = Vec::new();
        while !left.is_empty() {
            let waits = |table: &&Table| {
                table.references.iter().any(|reference| {
                    reference.table != table.name
                        && left.iter().any(|other| other.name == reference.table)
                })
            };
            let (waiting, ready): (Vec<&Table>, Vec<&Table>) =
                left.iter().partition(|table| waits(table));
            if ready.is_empty() {
                let names: Vec<&str> = waiting.iter().map(|table| table.name.as_str()).collect();
                self.fault(format!(
                    "the new tables {} refer to each other: write their migration by hand, with `--empty`",
                    names.join(", ")
                ));
                break;
            }
            sorted.extend(ready);
            left = waiting;
        }
        sorted
    }

    fn create(&mut self, table: &Table) {
        match self.sql.create_table(table) {
            Ok(up) => {
                let down = format!("DROP TABLE {};\n", ident(&table.name));
                self.step(Phase::Expand, up, down);
            }
            Err(fault) => self.fault(fault),
        }
    }

    fn change(&mut self, table: &Table, change: &Change, plan: &mut Plan) {
        let name = &table.name;
        match change {
            // Created before, and named indexes come from the migrations themselves.
            Change::MissingTable | Change::MissingNamedIndex(_) => {}
            Change::View | Change::InvalidIndex(_) => self.fault(format!(
                "{}",
                Difference {
                    table: name.clone(),
                    change: change.clone()
                }
            )),
            Change::MissingColumn(column) => self.add_column(table, column),
            Change::ExtraColumn(column) => {
                let place = format!("{name}.{}", column.name);
                if self.answers.drops.contains(&place) {
                    self.drop_column(name, column);
                } else if !column.is_generated {
                    plan.kept.push(place);
                }
            }
            // An index that migrations made by hand stays.
            Change::ExtraIndex(_) => {}
            Change::Type {
                column,
                expected,
                found,
            } => self.fault(format!(
                "`{name}.{column}` is {found} after the migrations, and {expected} in the entity: a change of type rewrites the table. Add a column, copy the values and drop the old one, with a migration by hand: `--empty`"
            )),
            Change::Nullability {
                column,
                is_nullable,
            } => {
                if self.sql.is_sqlite() {
                    self.nullability_on_sqlite(table, column);
                } else {
                    self.nullability(name, column, *is_nullable);
                }
            }
            Change::PrimaryKey { expected, found } => self.fault(format!(
                "the primary key of `{name}` is ({}) after the migrations, and ({}) in the entity: write the migration by hand, with `--empty`",
                found.join(", "),
                expected.join(", ")
            )),
            Change::MissingIndex(index) => self.add_index(name, index),
            Change::MissingReference(reference) => self.add_reference(table, reference),
        }
    }

    /// Returns the value that the user gave for a column.
    fn given(&mut self, table: &str, column: &Column) -> Option<String> {
        let place = format!("{table}.{}", column.name);
        let mut all = self.answers.defaults.iter();
        let (_, value) = all.find(|(of, _)| *of == place)?;
        let literal = literal(&column.kind, value);
        if literal.is_none() {
            self.fault(format!(
                "`--default {place}={value}`: this is no value of the column"
            ));
        }
        literal
    }

    fn add_column(&mut self, table: &Table, column: &Column) {
        let mut references_of = table.references.iter();
        let reference = references_of.find(|reference| reference.column == column.name);
        let given = self.given(&table.name, column);
        let default = given.clone().or_else(|| column.default.clone());
        let place = format!("{}.{}", table.name, column.name);
        if !column.is_nullable && reference.is_some() {
            self.fault(format!(
                "`{place}` refers to another row, and the rows that exist have none: make it optional"
            ));
            return;
        }
        if !column.is_nullable && default.is_none() {
            self.fault(format!(
                "`{place}` cannot be NULL, and the rows that exist have no value. Give one: `--default {place}=..` (or `#[sea_orm(default_value = ..)]`), or make the field optional"
            ));
            return;
        }
        // PostgreSQL checks the rows that exist later, without a lock.
        let inline = reference.filter(|_| self.sql.is_sqlite());
        let definition = match self.sql.column(column, inline, default.as_deref()) {
            Ok(definition) => definition,
            Err(fault) => return self.fault(fault),
        };
        let note = match (column.is_nullable, &given) {
            (false, Some(_)) => {
                "-- The default is the value of the rows that exist, and of those that the former version of\n\
                 -- the program writes. Once it no longer runs, the default can be dropped.\n"
            }
            _ => "",
        };
        let (name, dropped) = (ident(&table.name), ident(&column.name));
        self.step(
            Phase::Expand,
            format!("{note}ALTER TABLE {name} ADD COLUMN {definition};\n"),
            format!("ALTER TABLE {name} DROP COLUMN {dropped};\n"),
        );
    }

    fn add_index(&mut self, table: &str, index: &Index) {
        let up = self.sql.create_index(table, index, true);
        let down = self.sql.drop_index(&index.name);
        self.step(Phase::Online, up, down);
    }

    fn add_reference(&mut self, table: &Table, reference: &Reference) {
        let known = self.found.iter().find(|known| known.name == table.name);
        let is_new = known.is_some_and(|known| known.column(&reference.column).is_none());
        if self.sql.is_sqlite() {
            // A new column has its reference already.
            if !is_new {
                self.fault(format!(
                    "SQLite cannot add a reference to the column `{}.{}`: write the migration by hand, with `--empty`",
                    table.name, reference.column
                ));
            }
            return;
        }
        let name = ident(&table.name);
        let constraint = ident(&format!("{}_{}_fkey", table.name, reference.column));
        let (column, references) = (ident(&reference.column), references(reference));
        let down = match is_new {
            true => String::new(),
            false => format!("ALTER TABLE {name} DROP CONSTRAINT {constraint};\n"),
        };
        self.step(
            Phase::Expand,
            format!(
                "ALTER TABLE {name} ADD CONSTRAINT {constraint} FOREIGN KEY ({column}) {references} NOT VALID;\n"
            ),
            down,
        );
        let validate = format!("ALTER TABLE {name} VALIDATE CONSTRAINT {constraint};\n");
        self.step(Phase::Online, validate, "");
    }

    /// On PostgreSQL. The rows that exist are checked without blocking writers.
    fn nullability(&mut self, table: &str, column: &Column, was_nullable: bool) {
        let given = self.given(table, column);
        let check = ident(&format!("{table}_{}_not_null", column.name));
        let (table, name) = (ident(table), ident(&column.name));
        if !was_nullable {
            self.step(
                Phase::Expand,
                format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL;\n"),
                format!(
                    "-- Fails if a row has no value.\nALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;\n"
                ),
            );
            return;
        }
        // Committed in parts, so that the rows are not locked until all of them are written.
        let fill = given.map_or_else(
            || "-- It fails if a row has no value: fill the column first.\n".to_owned(),
            |value| {
                format!(
                    "DO $$ BEGIN LOOP\n    \
                     UPDATE {table} SET {name} = {value} WHERE ctid IN\n        \
                     (SELECT ctid FROM {table} WHERE {name} IS NULL LIMIT 10000);\n    \
                     EXIT WHEN NOT FOUND;\n    COMMIT;\nEND LOOP; END $$;\n"
                )
            },
        );
        self.step(
            Phase::Expand,
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;\n"
            ),
            format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check};\n"),
        );
        self.step(
            Phase::Online,
            format!(
                "{fill}ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n\
                 ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;\n\
                 ALTER TABLE {table} DROP CONSTRAINT {check};\n"
            ),
            format!("ALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL;\n"),
        );
    }

    /// SQLite cannot change a column: a new one takes its place.
    fn nullability_on_sqlite(&mut self, table: &Table, column: &Column) {
        let place = format!("{}.{}", table.name, column.name);
        let given = self
            .given(&table.name, column)
            .or_else(|| column.default.clone());
        let by_hand = "write the migration by hand, with `--empty`";
        let mut referring = table.references.iter();
        if referring.any(|reference| reference.column == column.name) {
            self.fault(format!(
                "SQLite cannot change the reference `{place}`: {by_hand}"
            ));
            return;
        }
        if !column.is_nullable && given.is_none() {
            self.fault(format!(
                "`{place}` may be NULL in rows that exist. Give their value: `--default {place}=..`"
            ));
            return;
        }
        let (before, after) = match self.indexes_of(&table.name, &column.name) {
            Some(indexes) => indexes,
            None => {
                self.fault(format!(
                    "`{place}` is part of a constraint or of an index with an expression: {by_hand}"
                ));
                return;
            }
        };
        let default = given.filter(|_| !column.is_nullable);
        let new = Column {
            name: format!("{}_new", column.name),
            ..column.clone()
        };
        let old = Column {
            is_nullable: true,
            ..new.clone()
        };
        let up = self.sql.column(&new, None, default.as_deref());
        let down = self.sql.column(&old, None, None);
        let (up, down) = match (up, down) {
            (Ok(up), Ok(down)) => (up, down),
            (Err(fault), _) | (_, Err(fault)) => return self.fault(fault),
        };
        let (table, name, new) = (ident(&table.name), ident(&column.name), ident(&new.name));
        let replace = |definition: &str| {
            format!(
                "{before}ALTER TABLE {table} ADD COLUMN {definition};\n\
                 UPDATE {table} SET {new} = {name} WHERE {name} IS NOT NULL;\n\
                 ALTER TABLE {table} DROP COLUMN {name};\n\
                 ALTER TABLE {table} RENAME COLUMN {new} TO {name};\n{after}"
            )
        };
        let indexes = match after.is_empty() {
            true => "",
            false => INDEX_ON_SQLITE,
        };
        let up = format!("{COLUMN_ON_SQLITE}{indexes}{}", replace(&up));
        let down = match column.is_nullable {
            true => format!("-- `{place}` stays nullable: rows without a value may exist.\n"),
            false => replace(&down),
        };
        self.step(Phase::Expand, up, down);
    }

    /// Returns the statements that drop the indexes of a column, and those that create them again.
    fn indexes_of(&self, table: &str, column: &str) -> Option<(String, String)> {
        let (mut before, mut after) = (String::new(), String::new());
        let known = self.found.iter().find(|known| known.name == table)?;
        for index in &known.indexes {
            if index.columns.is_empty() || index.is_partial {
                return None;
            }
            if !index.columns.iter().any(|of| of == column) {
                continue;
            }
            if index.is_constraint {
                return None;
            }
            before.push_str(&self.sql.drop_index(&index.name));
            let index = Index {
                name: index.name.clone(),
                columns: index.columns.clone(),
                is_unique: index.is_unique,
            };
            after.push_str(&self.sql.create_index(table, &index, false));
        }
        Some((before, after))
    }

    fn drop_column(&mut self, table: &str, column: &FoundColumn) {
        if self.found_on != self.sql.0 {
            self.fault(format!(
                "`--drop {table}.{}` needs a PostgreSQL server, to know the type that reverting it creates: name one with `--postgres-url`",
                column.name
            ));
            return;
        }
        let (mut before, mut after) = (String::new(), String::new());
        if self.sql.is_sqlite() {
            match self.indexes_of(table, &column.name) {
                Some(indexes) => (before, after) = indexes,
                None => {
                    self.fault(format!(
                        "`{table}.{}` is part of a constraint or of an index with an expression: drop it by hand, with `--empty`",
                        column.name
                    ));
                    return;
                }
            }
        }
        let (table, name) = (ident(table), ident(&column.name));
        if !column.is_nullable && !column.has_default && !self.sql.is_sqlite() {
            self.step(
                Phase::Expand,
                format!(
                    "-- The new version of the program writes no value.\nALTER TABLE {table} ALTER COLUMN {name} DROP NOT NULL;\n"
                ),
                "",
            );
        }
        self.step(
            Phase::Contract,
            format!(
                "-- Contract: the former version of the program reads this column. Release this file after that\n\
                 -- version no longer runs.\n{before}ALTER TABLE {table} DROP COLUMN {name};\n"
            ),
            format!(
                "-- The values are lost.\nALTER TABLE {table} ADD COLUMN {name} {};\n{after}",
                column.kind
            ),
        );
    }

    fn drafts(self) -> Vec<Draft> {
        let is_sqlite = self.sql.is_sqlite();
        let mut drafts = Vec::new();
        for phase in [Phase::Expand, Phase::Online, Phase::Contract] {
            let steps: Vec<&Step> = self
                .steps
                .iter()
                .filter(|step| step.phase == phase)
                .collect();
            if steps.is_empty() {
                continue;
            }
            let ups: Vec<&str> = steps.iter().map(|step| step.up.as_str()).collect();
            let downs = steps.iter().rev().map(|step| step.down.as_str());
            let downs: Vec<&str> = downs.filter(|down| !down.is_empty()).collect();
            let (head, down_head) = match phase {
                Phase::Online if is_sqlite => (INDEX_ON_SQLITE, ""),
                Phase::Online => ("-- no-transaction\n", "-- no-transaction\n"),
                _ => ("", ""),
            };
            let down = match downs.concat() {
                down if down.is_empty() => "-- Nothing to revert.\n".to_owned(),
                down if down.lines().all(|line| line.starts_with("--")) => {
                    format!("{NO_WAY_BACK}{down}")
                }
                down => format!("{down_head}{down}"),
            };
            drafts.push(Draft {
                phase,
                up: format!("{head}{}", ups.join("\n")),
                down,
            });
        }
        drafts
    }
}
