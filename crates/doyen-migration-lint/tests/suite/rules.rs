//! Each rule with a bad and a good example for each database.

use std::collections::BTreeSet;

use doyen::data::sea_orm::DbBackend;
use doyen_migration_lint::{Code, Databases, File, Scope, lint};

use crate::kit::Lab;

const DOWN: &str = "DROP TABLE IF EXISTS t;";

/// The code, the database, the SQL with the finding, and the SQL without it.
struct Case(&'static str, &'static str, &'static str, &'static str);

const S: &str = "sqlite";
const P: &str = "postgres";

const CASES: &[Case] = &[
    Case(
        "index_not_concurrent",
        P,
        "CREATE INDEX i ON t (a);",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);",
    ),
    Case(
        "index_not_concurrent",
        P,
        "CREATE UNIQUE INDEX i ON public.t (a);",
        "CREATE TABLE t (a int); CREATE INDEX i ON public.t (a);",
    ),
    Case(
        "drop_index_not_concurrent",
        P,
        "DROP INDEX IF EXISTS i;",
        "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS i;",
    ),
    Case(
        "reindex_not_concurrent",
        P,
        "REINDEX TABLE t;",
        "-- no-transaction\nREINDEX TABLE CONCURRENTLY t;",
    ),
    Case(
        "detach_partition",
        P,
        "ALTER TABLE t DETACH PARTITION t_1;",
        "-- no-transaction\nALTER TABLE t DETACH PARTITION t_1 CONCURRENTLY;",
    ),
    Case(
        "concurrently_in_transaction",
        P,
        "CREATE INDEX CONCURRENTLY i ON t (a);",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);",
    ),
    Case(
        "concurrently_in_transaction",
        P,
        "REINDEX INDEX CONCURRENTLY i;",
        "-- no-transaction\nREINDEX INDEX CONCURRENTLY i;",
    ),
    Case(
        "constraint_checked_at_once",
        P,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
    ),
    Case(
        "constraint_checked_at_once",
        P,
        "ALTER TABLE t ADD COLUMN u uuid REFERENCES users (id);",
        "ALTER TABLE t ADD COLUMN u uuid; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (u) REFERENCES users (id) NOT VALID;",
    ),
    Case(
        "constraint_checked_at_once",
        P,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;",
        "ALTER TABLE t VALIDATE CONSTRAINT c;",
    ),
    Case(
        "index_by_constraint",
        P,
        "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);",
        "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
    ),
    Case(
        "index_by_constraint",
        P,
        "ALTER TABLE t ADD PRIMARY KEY (a);",
        "ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY USING INDEX i;",
    ),
    Case(
        "not_null_scan",
        P,
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
    ),
    Case(
        "column_rewrites_table",
        P,
        "ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid();",
        "ALTER TABLE t ADD COLUMN c uuid; ALTER TABLE t ALTER COLUMN c SET DEFAULT gen_random_uuid();",
    ),
    Case(
        "column_rewrites_table",
        P,
        "ALTER TABLE t ADD COLUMN c text GENERATED ALWAYS AS (lower(a)) STORED;",
        "ALTER TABLE t ADD COLUMN c timestamptz NOT NULL DEFAULT now();",
    ),
    Case(
        "column_type",
        P,
        "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
        "ALTER TABLE t ADD COLUMN a_big bigint;",
    ),
    Case(
        "table_rewrite",
        P,
        "-- no-transaction\nVACUUM FULL t;",
        "-- no-transaction\nVACUUM t;",
    ),
    Case("lock_table", P, "LOCK TABLE t IN SHARE MODE;", "SELECT 1;"),
    Case(
        "truncate",
        P,
        "TRUNCATE t CASCADE;",
        "CREATE TABLE t (a int); TRUNCATE t;",
    ),
    Case(
        "timeout_changed",
        P,
        "SET LOCAL lock_timeout = 0;",
        "SET LOCAL work_mem = '1GB';",
    ),
    Case(
        "required_column",
        P,
        "ALTER TABLE t ADD COLUMN c text NOT NULL;",
        "ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT '';",
    ),
    Case(
        "required_column",
        S,
        "ALTER TABLE t ADD COLUMN c text NOT NULL;",
        "ALTER TABLE t ADD COLUMN c text NOT NULL DEFAULT '';",
    ),
    Case(
        "rename_column",
        P,
        "ALTER TABLE t RENAME COLUMN a TO b;",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME COLUMN a TO b;",
    ),
    Case(
        "rename_column",
        S,
        "ALTER TABLE t RENAME COLUMN a TO b;",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME COLUMN a TO b;",
    ),
    Case(
        "rename_table",
        P,
        "ALTER TABLE t RENAME TO u;",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; CREATE INDEX i ON u (a);",
    ),
    Case(
        "rename_table",
        S,
        "ALTER TABLE t RENAME TO u;",
        "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u; CREATE INDEX i ON u (a);",
    ),
    Case(
        "rename_object",
        P,
        "ALTER TABLE t SET SCHEMA archive;",
        "CREATE TABLE archive.t (a int);",
    ),
    Case(
        "drop_column",
        P,
        "ALTER TABLE t DROP COLUMN a;",
        "ALTER TABLE t ADD COLUMN a int;",
    ),
    Case(
        "drop_column",
        S,
        "ALTER TABLE t DROP a;",
        "ALTER TABLE t ADD a int;",
    ),
    Case(
        "drop_table",
        P,
        "DROP TABLE t;",
        "CREATE TABLE t (a int); DROP TABLE t;",
    ),
    Case(
        "drop_table",
        S,
        "DROP TABLE t;",
        "CREATE TABLE t (a int); DROP TABLE t;",
    ),
    Case(
        "drop_view",
        P,
        "DROP VIEW v;",
        "DROP VIEW v; CREATE VIEW v AS SELECT 1 AS a;",
    ),
    Case(
        "drop_view",
        S,
        "DROP VIEW v;",
        "DROP VIEW v; CREATE VIEW v AS SELECT 1 AS a;",
    ),
    Case(
        "drop_object",
        P,
        "DROP FUNCTION f();",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
    ),
    Case(
        "drop_not_null",
        P,
        "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
        "CREATE TABLE t (a int NOT NULL); ALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
    ),
    Case(
        "index_blocks_writer",
        S,
        "CREATE INDEX i ON t (a);",
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a);",
    ),
    Case(
        "non_constant_default",
        S,
        "ALTER TABLE t ADD COLUMN c text DEFAULT CURRENT_TIMESTAMP;",
        "ALTER TABLE t ADD COLUMN c text DEFAULT 'never';",
    ),
    Case(
        "table_rebuild",
        S,
        "CREATE TABLE t_next (a int) STRICT; INSERT INTO t_next SELECT a FROM t; DROP TABLE t; ALTER TABLE t_next RENAME TO t; CREATE INDEX i ON t (a);",
        "CREATE TABLE t_next (a int) STRICT;",
    ),
    Case(
        "rebuild_renames_old",
        S,
        "ALTER TABLE t RENAME TO t_old; CREATE TABLE t (a int) STRICT; INSERT INTO t VALUES (1); DROP TABLE t_old;",
        "CREATE TABLE u (a int) STRICT; ALTER TABLE u RENAME TO u_old; CREATE TABLE u (a int) STRICT;",
    ),
    Case(
        "foreign_keys_pragma",
        S,
        "PRAGMA foreign_keys = OFF;",
        "PRAGMA optimize;",
    ),
    Case(
        "backfill_with_schema_change",
        P,
        "ALTER TABLE t ADD COLUMN c int; UPDATE t SET c = a;",
        "ALTER TABLE t ADD COLUMN c int;",
    ),
    Case(
        "backfill_with_schema_change",
        S,
        "ALTER TABLE t ADD COLUMN c int; UPDATE t SET c = a;",
        "ALTER TABLE t ADD COLUMN c int;",
    ),
    Case(
        "backfill_at_once",
        P,
        "DELETE FROM t WHERE a IS NULL;",
        "-- no-transaction\nDO $$ BEGIN LOOP\n UPDATE t SET c = a WHERE id IN (SELECT id FROM t WHERE c IS NULL LIMIT 1000);\n EXIT WHEN NOT FOUND; COMMIT;\nEND LOOP; END $$;",
    ),
    Case(
        "backfill_at_once",
        P,
        "CREATE TABLE u (a int); INSERT INTO u SELECT a FROM t;",
        "CREATE TABLE u (a int); INSERT INTO u (a) VALUES (1); UPDATE u SET a = 2;",
    ),
    Case(
        "backfill_at_once",
        S,
        "UPDATE t SET c = a;",
        "UPDATE t SET c = a WHERE id IN (SELECT id FROM t WHERE c IS NULL LIMIT 1000);",
    ),
    Case(
        "transaction_control",
        P,
        "BEGIN; SELECT 1; COMMIT;",
        "SAVEPOINT s; SELECT 1;",
    ),
    Case(
        "transaction_control",
        S,
        "BEGIN; SELECT 1; COMMIT;",
        "SAVEPOINT s; SELECT 1;",
    ),
    Case(
        "not_parsed",
        P,
        "CREATE TABLE t (a int;",
        "CREATE TABLE t (a int);",
    ),
];

/// Returns the codes of each file, by its version.
fn codes(lab: &Lab, count: usize) -> Vec<BTreeSet<String>> {
    let ended = lab.lints(&["--json"]);
    let mut codes = vec![BTreeSet::new(); count];
    let findings: serde_json::Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    for finding in findings.as_array().unwrap() {
        let file = finding["file"].as_str().unwrap();
        if !file.contains("doyen-migration-lint-") {
            // A migration of the framework.
            continue;
        }
        let name = file.rsplit('/').next().unwrap();
        let version: usize = name.split('_').next().unwrap().parse().unwrap();
        codes[version - 1].insert(finding["code"].as_str().unwrap().to_owned());
    }
    codes
}

#[test]
fn each_rule_finds_the_bad_example_and_accepts_the_good_one() {
    let (bad, good) = (Lab::new(), Lab::new());
    for (index, Case(_, database, with, without)) in CASES.iter().enumerate() {
        bad.write(database, index + 1, with, DOWN);
        good.write(database, index + 1, without, DOWN);
    }
    let found = codes(&bad, CASES.len());
    for (Case(code, database, with, _), found) in CASES.iter().zip(&found) {
        let expected = BTreeSet::from([(*code).to_owned()]);
        assert_eq!(*found, expected, "{database}: {with}");
    }
    let found = codes(&good, CASES.len());
    for (Case(_, database, _, without), found) in CASES.iter().zip(&found) {
        assert!(found.is_empty(), "{found:?}: {database}: {without}");
    }
}

#[test]
fn the_guide_has_the_table_of_all_codes() {
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guide/migrations.md"
    );
    let guide = std::fs::read_to_string(guide).unwrap();
    let table = Code::table();
    assert!(
        guide.contains(&table),
        "docs/guide/migrations.md does not have this table:\n{table}"
    );
    for code in Code::ALL {
        assert_eq!(
            Code::parse(code.as_str()),
            Some(*code),
            "names are distinct"
        );
    }
}

/// The codes about the files and the comments have tests of their own.
#[test]
fn each_code_has_an_example_for_each_of_its_databases() {
    let elsewhere = ["missing_down", "allow_unused", "allow_malformed"];
    for code in Code::ALL {
        let name = code.as_str();
        let databases: &[&str] = match code.databases() {
            Databases::Both => &[S, P],
            Databases::Sqlite => &[S],
            Databases::Postgres => &[P],
        };
        for database in databases {
            let has = CASES
                .iter()
                .any(|case| case.0 == name && case.1 == *database);
            assert!(has || elsewhere.contains(&name), "{name} on {database}");
        }
    }
}

/// A file may end anywhere while it is written: the linter answers all the same.
#[test]
fn a_file_that_ends_early_is_linted() {
    for Case(_, database, with, without) in CASES {
        for sql in [with, without] {
            for (end, _) in sql.char_indices() {
                let file = File {
                    up: &sql[..end],
                    down: "",
                    backend: match *database {
                        S => DbBackend::Sqlite,
                        _ => DbBackend::Postgres,
                    },
                    path: "m".to_owned(),
                };
                let findings = lint(&[file], Scope::Each);
                assert!(findings.len() < 20, "{findings:?}");
            }
        }
    }
}
