//! `migrate up` and the start refuse unsafe migrations in `prod`.

use crate::kit::{Lab, LabApp, assert_contains, database};

#[doyen_test::test]
async fn prod_refuses_what_is_unsafe_and_has_no_reason(app: LabApp) {
    let lab = Lab::new();
    let database = database(&app);
    let run = |environment: &str, words: &[&str]| {
        let program = lab.program(environment, app.database_url(), words);
        program.env("APP_DATABASE__MIGRATE", "auto").run()
    };
    // The first creation has indexes and drops, and nothing uses its tables.
    let creation = "CREATE TABLE t (a integer, b integer); CREATE INDEX t_by_a ON t (a);";
    lab.write(database, 1, creation, "DROP TABLE t;");
    lab.write(
        database,
        2,
        "CREATE INDEX t_by_id ON t (a, a); ALTER TABLE t RENAME b TO c; UPDATE t SET c = 0;",
        "DROP INDEX t_by_id;",
    );
    let first = run("prod", &["migrate", "up"]);
    assert_eq!(
        (first.code, first.stdout.trim()),
        (Some(0), "2 applied"),
        "{first:?}"
    );
    // The same on tables that are there: refused, also with a safe one before it.
    lab.write(database, 3, "CREATE TABLE u (a integer);", "DROP TABLE u;");
    lab.write(
        database,
        4,
        "ALTER TABLE t DROP COLUMN c;",
        "ALTER TABLE t ADD COLUMN c integer;",
    );
    for words in [&["migrate", "up"][..], &["serve"]] {
        let refused = run("prod", words);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert_contains(
            &refused.stderr,
            &[
                "nothing was applied",
                "4_m.up.sql:1: drop_column",
                "-- doyen: allow <code> because <reason>",
                "instead: First release code",
            ],
        );
    }
    let status = run("prod", &["migrate", "status"]).stdout;
    assert_eq!(status.matches("pending").count(), 2, "{status}");
    // With a reason it is applied.
    lab.write(
        database,
        4,
        "-- doyen: allow drop_column because no release reads it\nALTER TABLE t DROP COLUMN c;",
        "ALTER TABLE t ADD COLUMN c integer;",
    );
    let applied = run("prod", &["migrate", "up"]);
    assert_eq!(
        (applied.code, applied.stdout.trim()),
        (Some(0), "2 applied"),
        "{applied:?}"
    );
    // Elsewhere it is applied with a warning.
    let up = "ALTER TABLE t RENAME TO v;";
    lab.write(database, 5, up, "ALTER TABLE v RENAME TO t;");
    let applied = run("test", &["migrate", "up"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    assert_contains(
        &applied.stderr,
        &["warning: ", "5_m.up.sql:1: rename_table"],
    );
}
