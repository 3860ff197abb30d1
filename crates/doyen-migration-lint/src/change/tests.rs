//! What statements change.

use super::*;

const BOTH: [DbBackend; 2] = [DbBackend::Sqlite, DbBackend::Postgres];

fn create(kind: Kind, name: &str) -> Change {
    let name = name.to_owned();
    Change::Create { kind, name }
}

fn index(name: Option<&str>, table: &str, concurrently: bool) -> Change {
    Change::CreateIndex {
        name: name.map(str::to_owned),
        table: table.to_owned(),
        concurrently,
    }
}

fn alter(name: &str, actions: &[Action]) -> Change {
    Change::Alter {
        kind: Kind::Table,
        name: name.to_owned(),
        actions: actions.to_vec(),
    }
}

fn drop(kind: Kind, names: &[&str]) -> Change {
    Change::Drop {
        kind,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        concurrently: false,
    }
}

fn rows(table: &str, is_limited: bool) -> Change {
    let table = table.to_owned();
    Change::Rows { table, is_limited }
}

#[test]
fn the_kind_and_the_names_are_read() {
    let add = |is_required, default| Action::AddColumn {
        is_required,
        default,
    };
    for (sql, expected) in [
        ("CREATE TABLE t (a int)", create(Kind::Table, "t")),
        (
            "create temp table if not exists main.\"T \"\"x\" (a int)",
            create(Kind::Table, "T \"x"),
        ),
        (
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            create(Kind::View, "v"),
        ),
        (
            "CREATE VIRTUAL TABLE f USING fts5 (a)",
            create(Kind::Table, "f"),
        ),
        (
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a)",
            index(Some("i"), "t", false),
        ),
        ("CREATE INDEX ON t (a)", index(None, "t", false)),
        (
            "CREATE INDEX CONCURRENTLY i ON ONLY t (a)",
            index(Some("i"), "t", true),
        ),
        (
            "DROP TABLE IF EXISTS a, s.b CASCADE",
            drop(Kind::Table, &["a", "b"]),
        ),
        ("DROP VIEW v", drop(Kind::View, &["v"])),
        ("DROP TRIGGER g", drop(Kind::Other, &["g"])),
        (
            "ALTER TABLE t ADD COLUMN c text NOT NULL",
            alter("t", &[add(true, ColumnDefault::None)]),
        ),
        (
            "ALTER TABLE t ADD c text NOT NULL DEFAULT 'x, y'",
            alter("t", &[add(false, ColumnDefault::Constant)]),
        ),
        (
            "ALTER TABLE t ADD c text NOT NULL DEFAULT NULL",
            alter("t", &[add(true, ColumnDefault::None)]),
        ),
        (
            "ALTER TABLE t ADD c text DEFAULT (a || 'x')",
            alter("t", &[add(false, ColumnDefault::Expression)]),
        ),
        (
            "ALTER TABLE t ADD c text DEFAULT CURRENT_TIMESTAMP",
            alter("t", &[add(false, ColumnDefault::Expression)]),
        ),
        (
            "ALTER TABLE t ADD c text CHECK (c IS NOT NULL)",
            alter("t", &[add(false, ColumnDefault::None)]),
        ),
        (
            "ALTER TABLE t ADD c text NOT NULL GENERATED ALWAYS AS (a) VIRTUAL",
            alter("t", &[add(false, ColumnDefault::None)]),
        ),
        (
            "ALTER TABLE ONLY t ADD CONSTRAINT u UNIQUE (a, b), DROP c, DROP CONSTRAINT d",
            alter("t", &[Action::Other, Action::DropColumn, Action::Other]),
        ),
        (
            "ALTER TABLE t RENAME a TO b",
            alter("t", &[Action::RenameColumn]),
        ),
        (
            "ALTER TABLE t RENAME TO u",
            alter("t", &[Action::RenameTo("u".to_owned())]),
        ),
        ("UPDATE t SET a = 1", rows("t", false)),
        ("UPDATE OR IGNORE t SET a = 1", rows("t", false)),
        (
            "DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 9)",
            rows("t", true),
        ),
        ("WITH x AS (SELECT 1) UPDATE t SET a = 1", rows("t", false)),
        (
            "INSERT INTO t (a) SELECT a FROM u JOIN v ON true",
            Change::Insert {
                table: "t".to_owned(),
                from: vec!["u".to_owned(), "v".to_owned()],
                is_limited: false,
            },
        ),
        ("SELECT 1", Change::Other),
        ("", Change::Other),
        ("ALTER", Change::Other),
        ("DROP", Change::Other),
        ("WITH x", Change::Other),
    ] {
        for backend in BOTH {
            assert_eq!(Change::of(sql, backend), expected, "{backend:?}: {sql}");
        }
    }
    for (sql, expected) in [
        ("DROP TABLE [a b], `c`", drop(Kind::Table, &["a b", "c"])),
        (
            "PRAGMA foreign_keys = OFF",
            Change::Pragma("foreign_keys".to_owned()),
        ),
    ] {
        assert_eq!(Change::of(sql, DbBackend::Sqlite), expected, "{sql}");
    }
    for (sql, expected) in [
        (
            "SET LOCAL lock_timeout = 0",
            Change::Set("lock_timeout".to_owned()),
        ),
        ("VACUUM (FULL) t", Change::Rewrite),
        ("LOCK TABLE t IN SHARE MODE", Change::Lock("t".to_owned())),
        (
            "TRUNCATE a, b",
            Change::Truncate(vec!["a".to_owned(), "b".to_owned()]),
        ),
    ] {
        assert_eq!(Change::of(sql, DbBackend::Postgres), expected, "{sql}");
    }
}
