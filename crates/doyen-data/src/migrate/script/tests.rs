//! Where statements end, on each database.

use super::*;

const POSTGRES: DbBackend = DbBackend::Postgres;
const SQLITE: DbBackend = DbBackend::Sqlite;

fn texts(sql: &str, backend: DbBackend) -> Vec<&str> {
    let script = Script::parse(sql, backend);
    script.statements.iter().map(|one| one.text).collect()
}

#[test]
fn a_semicolon_ends_a_statement_only_where_it_does_on_that_database() {
    let both = [POSTGRES, SQLITE].as_slice();
    let cases: &[(&[DbBackend], &[&str])] = &[
        (both, &["SELECT 1;", "SELECT 2"]),
        (both, &["SELECT ';' , 'it''s;';", "SELECT \";\"\";\";"]),
        (both, &["SELECT 1 /* ; */ -- ;\n;", "SELECT 2;"]),
        (both, &["SELECT 'ü;' AS ü;", "SELECT 2;"]),
        // Nested comments of PostgreSQL; in SQLite the first `*/` ends the comment.
        (&[POSTGRES], &["SELECT /* /* ; */ ; */ 1;", "SELECT 2;"]),
        (&[SQLITE], &["SELECT /* /* ; */ 1;", "SELECT 2;"]),
        (
            &[SQLITE],
            &["SELECT `;`, [;] FROM t;", "SELECT '\\';", "SELECT 2;"],
        ),
        (
            &[POSTGRES],
            &[r"SELECT E'it\'s;', e'\\';", r"SELECT '\';", "SELECT 2;"],
        ),
        (
            &[POSTGRES],
            &[
                "SELECT $$;$$, $a_1$;$$;$a_1$;",
                "SELECT $1;",
                "SELECT a$b$;",
                "SELECT 2;",
            ],
        ),
        (
            &[POSTGRES],
            &["DO $do$ BEGIN PERFORM 1; END $do$;", "SELECT 2;"],
        ),
        (
            &[POSTGRES],
            &[
                "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;",
                "SELECT 2;",
            ],
        ),
        (
            &[POSTGRES],
            &[
                "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);",
                "SELECT 2;",
            ],
        ),
        (&[POSTGRES], &["SELECT a[1];", "SELECT 1E5;", "SELECT 2;"]),
        (
            &[SQLITE],
            &[
                "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; DELETE FROM b; END;",
                "CREATE TABLE c (id integer);",
            ],
        ),
        (
            &[SQLITE],
            &[
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; /* x */ end -- y\n;",
                "SELECT 2;",
            ],
        ),
    ];
    for (backends, statements) in cases {
        for backend in *backends {
            for between in [
                "",
                "\n",
                "\r\n",
                " -- a comment; 'of' $one$ line\n",
                "\n/* ; */ ; \n",
            ] {
                let sql = statements.join(between);
                assert_eq!(texts(&sql, *backend), *statements, "{backend:?}: {sql}");
            }
        }
    }
}

#[test]
fn an_unclosed_quote_or_comment_reaches_to_the_end() {
    for sql in [
        "SELECT ';",
        "SELECT \"; SELECT 2;",
        "SELECT $$; SELECT 2;",
        "SELECT E'\\",
        "SELECT 1 + /* ; ",
    ] {
        assert_eq!(texts(sql, POSTGRES).len(), 1, "{sql}");
    }
    assert_eq!(texts("SELECT [; SELECT 2", SQLITE).len(), 1);
    for sql in ["", " \n", "-- nothing;\n", "/* ; */", ";;"] {
        assert!(texts(sql, POSTGRES).is_empty(), "{sql}");
    }
}

#[test]
fn a_statement_knows_its_line() {
    let script = Script::parse("-- a\r\nSELECT\r\n 1;\r\n\r\nSELECT 2;", POSTGRES);
    let lines: Vec<usize> = script.statements.iter().map(|one| one.line).collect();
    assert_eq!(lines, [2, 5]);
}

#[test]
fn control_of_a_transaction_is_found_and_savepoints_are_not() {
    for sql in [
        "BEGIN;",
        "begin immediate",
        "START TRANSACTION;",
        "COMMIT",
        "end;",
        "ABORT;",
        "ROLLBACK;",
        "PREPARE TRANSACTION 'x'",
        "SELECT 1; /* x */ COMMIT AND CHAIN;",
    ] {
        for backend in [POSTGRES, SQLITE] {
            assert!(
                Script::parse(sql, backend).transaction_control().is_some(),
                "{sql}"
            );
        }
    }
    for sql in [
        "SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a;",
        "PREPARE begin AS SELECT 1;",
        "CREATE TABLE begin (\"commit\" text); -- COMMIT;",
        "INSERT INTO t VALUES ('; COMMIT;')",
    ] {
        for backend in [POSTGRES, SQLITE] {
            assert_eq!(
                Script::parse(sql, backend).transaction_control(),
                None,
                "{sql}"
            );
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_text() {
    let script = Script::parse("\u{feff}-- no-transaction\nSELECT 1;", POSTGRES);
    assert!(script.without_transaction && script.text.starts_with("--"));
    assert_eq!(script.statements[0].text, "SELECT 1;");
    assert!(!Script::parse("-- no-transaction\n", SQLITE).without_transaction);
}
