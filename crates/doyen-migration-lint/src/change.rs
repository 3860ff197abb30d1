//! What a statement changes, read from its tokens.
//!
//! This is no parser of SQL: it finds the kind of the statement and the names of the objects, which
//! come first in every statement. Anything else is [`Change::Other`].

#![cfg_attr(
    not(feature = "postgres"),
    allow(
        dead_code,
        reason = "the rules for PostgreSQL read more of a statement"
    )
)]

mod cursor;

use doyen_data::sea_orm::DbBackend;

use cursor::{Cursor, Piece};

/// What a statement changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Create {
        kind: Kind,
        name: String,
    },
    CreateIndex {
        name: Option<String>,
        table: String,
        concurrently: bool,
    },
    Alter {
        kind: Kind,
        name: String,
        actions: Vec<Action>,
    },
    Drop {
        kind: Kind,
        names: Vec<String>,
        concurrently: bool,
    },
    /// `UPDATE` or `DELETE`.
    Rows {
        table: String,
        /// True if a `LIMIT` bounds the rows.
        is_limited: bool,
    },
    Insert {
        table: String,
        /// The tables that the rows are read from.
        from: Vec<String>,
        is_limited: bool,
    },
    Truncate(Vec<String>),
    /// `REINDEX`.
    Rebuild {
        concurrently: bool,
    },
    Lock(String),
    /// `VACUUM FULL` or `CLUSTER`.
    Rewrite,
    /// `SET`, with the name of the setting.
    Set(String),
    Pragma(String),
    Other,
}

/// The kind of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Table,
    View,
    Index,
    Other,
}

/// What `ALTER TABLE` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    AddColumn {
        is_required: bool,
        default: ColumnDefault,
    },
    DropColumn,
    RenameColumn,
    RenameTo(String),
    DetachConcurrently,
    ValidateConstraint,
    Other,
}

/// The default of a new column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnDefault {
    None,
    Constant,
    Expression,
}

impl Change {
    pub(crate) fn of(sql: &str, backend: DbBackend) -> Self {
        let pieces = cursor::pieces(sql, backend);
        parse(&mut Cursor::new(&pieces)).unwrap_or(Change::Other)
    }

    /// Returns the tables, views and indexes that the statement changes.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        match self {
            Change::CreateIndex { table: name, .. }
            | Change::Alter { name, .. }
            | Change::Rows { table: name, .. }
            | Change::Insert { table: name, .. }
            | Change::Lock(name) => vec![name],
            Change::Drop { names, .. } | Change::Truncate(names) => {
                names.iter().map(String::as_str).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns true for a change of the schema, which takes locks that are held until the commit.
    pub(crate) fn is_schema(&self) -> bool {
        matches!(
            self,
            Change::Create { .. }
                | Change::CreateIndex { .. }
                | Change::Alter { .. }
                | Change::Drop { .. }
        )
    }

    /// Returns true for a change of the schema that a file must revert. A constraint that was
    /// validated can be validated again.
    pub(crate) fn needs_revert(&self) -> bool {
        match self {
            Change::Alter { actions, .. } if !actions.is_empty() => {
                actions.iter().any(|one| *one != Action::ValidateConstraint)
            }
            other => other.is_schema(),
        }
    }

    /// Returns true for a statement that PostgreSQL refuses in a transaction.
    pub(crate) fn is_concurrent(&self) -> bool {
        match self {
            Change::CreateIndex { concurrently, .. } | Change::Drop { concurrently, .. } => {
                *concurrently
            }
            Change::Alter { actions, .. } => actions.contains(&Action::DetachConcurrently),
            Change::Rebuild { concurrently } => *concurrently,
            _ => false,
        }
    }
}

fn parse(at: &mut Cursor<'_>) -> Option<Change> {
    match at.word()?.as_str() {
        "create" => create(at),
        "alter" => alter(at),
        "drop" => drop(at),
        "update" => {
            at.skip_any(&[
                "or", "rollback", "abort", "replace", "fail", "ignore", "only",
            ]);
            rows(at)
        }
        "delete" => {
            at.skip_any(&["from", "only"]);
            rows(at)
        }
        "insert" | "replace" => insert(at),
        // The statement after the common tables, which are in parentheses.
        "with" => {
            at.skip_to(&["update", "delete", "insert", "select"])?;
            parse(at)
        }
        "truncate" => {
            at.skip_any(&["table", "only"]);
            Some(Change::Truncate(at.names()))
        }
        "reindex" => Some(Change::Rebuild {
            concurrently: at.has("concurrently"),
        }),
        "lock" => {
            at.skip_any(&["table", "only"]);
            Some(Change::Lock(at.name()?))
        }
        "vacuum" if at.has("full") => Some(Change::Rewrite),
        "cluster" => Some(Change::Rewrite),
        "set" => {
            at.skip_any(&["local", "session"]);
            Some(Change::Set(at.name()?))
        }
        "pragma" => Some(Change::Pragma(at.name()?)),
        _ => None,
    }
}

fn rows(at: &mut Cursor<'_>) -> Option<Change> {
    Some(Change::Rows {
        table: at.name()?,
        is_limited: at.has("limit"),
    })
}

fn insert(at: &mut Cursor<'_>) -> Option<Change> {
    at.skip_any(&[
        "or", "rollback", "abort", "replace", "fail", "ignore", "into",
    ]);
    let table = at.name()?;
    Some(Change::Insert {
        table,
        from: at.names_after(&["from", "join"]),
        is_limited: at.has("limit"),
    })
}

fn kind(word: &str) -> Kind {
    match word {
        "table" => Kind::Table,
        "view" => Kind::View,
        "index" => Kind::Index,
        _ => Kind::Other,
    }
}

fn create(at: &mut Cursor<'_>) -> Option<Change> {
    at.skip_any(&[
        "or",
        "replace",
        "temp",
        "temporary",
        "unlogged",
        "global",
        "local",
        "unique",
        "materialized",
        "recursive",
        "virtual",
        "foreign",
    ]);
    let kind = kind(&at.word()?);
    let concurrently = at.eat("concurrently");
    at.skip_any(&["if", "not", "exists"]);
    if kind != Kind::Index {
        let name = at.name()?;
        return Some(Change::Create { kind, name });
    }
    let name = match at.eat("on") {
        true => None,
        false => {
            let name = at.name();
            at.eat("on");
            name
        }
    };
    at.eat("only");
    Some(Change::CreateIndex {
        name,
        table: at.name()?,
        concurrently,
    })
}

fn drop(at: &mut Cursor<'_>) -> Option<Change> {
    at.skip_any(&["materialized", "foreign"]);
    let kind = kind(&at.word()?);
    let concurrently = at.eat("concurrently");
    at.skip_any(&["if", "exists"]);
    Some(Change::Drop {
        kind,
        names: at.names(),
        concurrently,
    })
}

fn alter(at: &mut Cursor<'_>) -> Option<Change> {
    at.skip_any(&["materialized", "foreign"]);
    let kind = kind(&at.word()?);
    at.skip_any(&["if", "exists", "only"]);
    let name = at.name()?;
    let actions = match kind {
        Kind::Table => at.split_at_commas().iter().map(action).collect(),
        _ => Vec::new(),
    };
    Some(Change::Alter {
        kind,
        name,
        actions,
    })
}

/// Reads one action of `ALTER TABLE`.
fn action(action: &Cursor<'_>) -> Action {
    let mut at = action.clone();
    let Some(first) = at.word() else {
        return Action::Other;
    };
    let is_constraint = [
        "constraint",
        "primary",
        "foreign",
        "unique",
        "check",
        "exclude",
    ]
    .iter()
    .any(|word| at.is(word));
    match first.as_str() {
        "add" if !is_constraint => add_column(&mut at),
        "drop" if !is_constraint => Action::DropColumn,
        "rename" if at.eat("to") => at.name().map_or(Action::Other, Action::RenameTo),
        "rename" if !is_constraint => Action::RenameColumn,
        "validate" => Action::ValidateConstraint,
        "detach" if at.has("concurrently") => Action::DetachConcurrently,
        _ => Action::Other,
    }
}

/// Reads the constraints of a new column.
fn add_column(at: &mut Cursor<'_>) -> Action {
    let pieces = at.outside_parentheses();
    let is =
        |index: usize, word: &str| matches!(pieces.get(index), Some(Piece::Word(is)) if is == word);
    let mut is_not_null = false;
    let mut is_generated = false;
    let mut default = ColumnDefault::None;
    for index in 0..pieces.len() {
        is_not_null |= is(index, "not") && is(index + 1, "null");
        // `GENERATED ALWAYS AS (..)`, and `AS (..)` alone on SQLite.
        is_generated |= is(index, "as");
        if is(index, "default") {
            default = match pieces.get(index + 1) {
                Some(Piece::Word(word)) if word == "null" => ColumnDefault::None,
                Some(Piece::Word(word)) if word.starts_with("current_") => {
                    ColumnDefault::Expression
                }
                Some(Piece::Open) => ColumnDefault::Expression,
                _ => ColumnDefault::Constant,
            };
        }
    }
    Action::AddColumn {
        is_required: is_not_null && !is_generated && default == ColumnDefault::None,
        default,
    }
}

#[cfg(test)]
mod tests;
