//! What `migrate lint` prints, and comments that allow findings.

use crate::kit::{Lab, LabApp, assert_contains, database};

const DROP: &str = "-- The column is unused.\n\nALTER TABLE t\n    DROP COLUMN a;\n";
const UNDROP: &str = "ALTER TABLE t ADD COLUMN a integer;\n";

#[test]
fn a_finding_has_its_place_its_reason_and_the_rewrite() {
    let lab = Lab::new();
    for database in ["sqlite", "postgres"] {
        lab.write(database, 1, "CREATE TABLE t (a integer);", "DROP TABLE t;");
    }
    let clean = lab.lints(&[]);
    assert_eq!(clean.code, Some(0), "{clean:?}");
    assert_contains(
        &clean.stdout,
        &["for SQLite and", "for PostgreSQL, 0 findings"],
    );
    assert_eq!(lab.lints(&["--json"]).stdout.trim(), "[]");
    for database in ["sqlite", "postgres"] {
        lab.write(database, 2, DROP, UNDROP);
    }
    let ended = lab.lints(&[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_contains(
        &ended.stdout,
        &[
            "/sqlite/2_m.up.sql:3: drop_column\n  ALTER TABLE t DROP COLUMN a;\n  why: Statements of running code",
            "/postgres/2_m.up.sql:3: drop_column",
            "\n  instead: First release code that does not name the column",
            ", 2 findings",
        ],
    );
    assert_contains(&ended.stderr, &["-- doyen: allow <code> because <reason>"]);
    let ended = lab.lints(&["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let findings: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(findings[0]["code"], "drop_column");
    assert_eq!(findings[0]["line"], 3);
    for key in ["file", "statement", "why", "rewrite"] {
        assert!(findings[1][key].is_string(), "{findings}");
    }
}

#[test]
fn a_comment_allows_a_finding_only_with_a_reason() {
    let allow = "-- doyen: allow drop_column because no release since 4 reads it\n";
    let up = |comment: &str| (format!("{comment}{DROP}"), UNDROP.to_owned());
    let down = |comment: &str| (DROP.to_owned(), format!("{comment}{UNDROP}"));
    let malformed = ["drop_column", "allow_malformed"].as_slice();
    for ((up, down), expected) in [
        (up(allow), &[][..]),
        // An applied migration cannot be changed; its other file can.
        (down(allow), &[]),
        (up("-- doyen: allow drop_column\n"), malformed),
        (up("-- doyen: allow drop_column because\n"), malformed),
        (up("-- doyen: allow drop_column because  \n"), malformed),
        (up("-- doyen: allow drop_colum because x\n"), malformed),
        (up("-- doyen: ignore drop_column because x\n"), malformed),
        (up("-- squawk-ignore-file\n"), &["drop_column"]),
        (
            up("-- doyen: allow drop_table because x\n"),
            &["drop_column", "allow_unused"],
        ),
        (up("-- doyen: allow allow_unused because x\n"), malformed),
    ] {
        let lab = Lab::new();
        for database in ["sqlite", "postgres"] {
            lab.write(database, 1, &up, &down);
        }
        let ended = lab.lints(&["--json"]);
        let findings: Vec<serde_json::Value> = serde_json::from_str(&ended.stdout).unwrap();
        for database in ["/sqlite/", "/postgres/"] {
            let mut found: Vec<&str> = findings
                .iter()
                .filter(|one| one["file"].as_str().unwrap().contains(database))
                .map(|one| one["code"].as_str().unwrap())
                .collect();
            found.sort_by_key(|code| code.starts_with("allow"));
            assert_eq!(found, expected, "{database}: {up}{down}");
        }
        let code = Some(i32::from(!expected.is_empty()));
        assert_eq!(ended.code, code, "{ended:?}");
    }
}

#[test]
fn a_migration_that_changes_the_schema_needs_a_way_back() {
    let lab = Lab::new();
    for (version, up, down) in [
        (1, "CREATE TABLE t (a integer);", "-- Nothing.\n"),
        (2, "CREATE TABLE u (a integer);", "DROP TABLE u;"),
        // Nothing to revert.
        (3, "-- Nothing on this database.", ""),
    ] {
        lab.write("sqlite", version, up, down);
        lab.write("postgres", version, up, down);
    }
    // A constraint that was validated can be validated again.
    let validate = "ALTER TABLE t VALIDATE CONSTRAINT c;";
    lab.write("postgres", 4, validate, "-- Nothing to revert.\n");
    let ended = lab.lints(&[]);
    assert_contains(
        &ended.stdout,
        &[
            "/sqlite/1_m.down.sql:1: missing_down",
            "/postgres/1_m.down.sql:1: missing_down",
            ", 2 findings",
        ],
    );
}

/// The setting for an application that has migrations from before the linter.
#[test]
fn earlier_migrations_are_left_out_by_a_setting() {
    let lab = Lab::new();
    for version in [1, 2] {
        lab.write("sqlite", version, DROP, UNDROP);
        lab.write("postgres", version, DROP, UNDROP);
    }
    let program = lab.program("test", "sqlite://data/unused.db", &["migrate", "lint"]);
    let config = program.folder().join("config");
    std::fs::create_dir(&config).unwrap();
    let settings = "[database]\nmigration_lint_after = 1\n";
    std::fs::write(config.join("base.toml"), settings).unwrap();
    let ended = program.run();
    assert_contains(&ended.stdout, &["/sqlite/2_m.up.sql", ", 2 findings"]);
    assert!(!ended.stdout.contains("/1_m."), "{ended:?}");
}

#[doyen_test::test]
async fn pending_migrations_are_linted_together(app: LabApp) {
    let lab = Lab::new();
    let database = database(&app);
    lab.write(database, 1, "CREATE TABLE t (a integer);", "DROP TABLE t;");
    lab.write(database, 2, "CREATE INDEX i ON t (a);", "DROP INDEX i;");
    // The comment is for databases that have the table; here it is not needed.
    let drop = "-- doyen: allow drop_table because no release reads it\nDROP TABLE t;";
    lab.write(database, 3, drop, "CREATE TABLE t (a integer);");
    let run = |words: &[&str]| lab.program("test", app.database_url(), words).run();
    let pending = ["migrate", "lint", "--pending"];
    let first = run(&pending);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_contains(&first.stdout, &["3 ", ", 0 findings"]);
    // By itself the second file is about a table in use.
    assert_eq!(run(&["migrate", "lint"]).code, Some(1));
    assert_eq!(run(&["migrate", "up"]).code, Some(0));
    let none = run(&pending);
    assert_contains(
        &none.stdout,
        &["0 migrations for SQLite and 0 for PostgreSQL, 0 findings"],
    );
    // A comment in the file that reverts it does not change an applied migration.
    let reverts = "-- doyen: allow drop_column because it is new\nDROP INDEX i;";
    lab.write(database, 2, "CREATE INDEX i ON t (a);", reverts);
    let up = run(&["migrate", "up"]);
    assert_eq!(
        (up.code, up.stdout.trim()),
        (Some(0), "0 applied"),
        "{up:?}"
    );
}
