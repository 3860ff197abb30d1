//! The command `explain`.

use doyen_test::{Ended, Program};

use crate::support::Helpdesk;

fn explain(url: &str, environment: &[(&str, &str)], words: &[&str]) -> Ended {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("DATABASE_URL", url)
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY)
        .arg("explain");
    let set = |all: Program, (name, value): &(&str, &str)| all.env(name, value);
    let program = environment.iter().fold(program, set);
    words.iter().fold(program, |all, word| all.arg(word)).run()
}

/// Creates a table of 2,000 parcels, and one of 20 depots.
async fn with_parcels(app: &Helpdesk) {
    for sql in [
        "CREATE TABLE depots (id integer PRIMARY KEY, town text NOT NULL)",
        "CREATE TABLE parcels (id integer PRIMARY KEY, owner text NOT NULL, depot integer NOT NULL, sent_at text NOT NULL)",
        "INSERT INTO depots (id, town) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
         SELECT i, 'town' FROM n",
        "INSERT INTO parcels (id, owner, depot, sent_at) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         SELECT i, 'owner ' || (i % 500), 1 + i % 20, 'day ' || (i * 7919 % 1000) FROM n",
        "ANALYZE parcels",
        "ANALYZE depots",
    ] {
        app.execute(sql, []).await;
    }
}

#[doyen_test::test]
async fn an_index_that_is_missing_is_named_and_mends_the_plan(app: Helpdesk) {
    with_parcels(&app).await;
    let url = app.database_url().to_owned();
    let of = |sql: &str| {
        let ended = explain(&url, &[], &[sql]);
        assert_eq!(ended.code, Some(0), "{sql}: {ended:?}");
        ended.stdout
    };
    let nothing = "nothing to improve was found";
    let owned = "SELECT * FROM parcels WHERE owner = $1";
    let listed = "SELECT p.id FROM parcels p WHERE p.owner = $1 ORDER BY p.sent_at DESC LIMIT 20";
    let sorted = "SELECT * FROM parcels ORDER BY sent_at";
    let changed = "UPDATE parcels SET owner = $1 WHERE owner = $2";
    let index = "CREATE INDEX parcels_by_owner_sent_at ON parcels (owner, sent_at);";
    let scan = "reads all rows of `parcels` (at least 1000 rows)";
    for (sql, parts) in [
        (
            owned,
            vec![scan, "CREATE INDEX parcels_by_owner ON parcels (owner);"],
        ),
        (listed, vec![scan, index]),
        (
            sorted,
            vec![
                "sorts without an index: sent_at",
                "CREATE INDEX parcels_by_sent_at ON parcels (sent_at);",
            ],
        ),
        (
            changed,
            vec![scan, "CREATE INDEX parcels_by_owner ON parcels (owner);"],
        ),
        // A small table, a key, and a scan that ends early.
        ("SELECT * FROM depots WHERE town = $1", vec![nothing]),
        ("SELECT * FROM parcels WHERE id = $1", vec![nothing]),
        ("SELECT * FROM parcels LIMIT 5", vec![nothing]),
    ] {
        let text = of(sql);
        for part in &parts {
            assert!(text.contains(part), "{sql}: no `{part}`:\n{text}");
        }
    }
    // The suggestion does what it promises.
    app.execute(index, []).await;
    app.execute("ANALYZE parcels", []).await;
    for sql in [owned, listed] {
        let text = of(sql);
        assert!(
            text.contains(nothing) && text.contains("parcels_by_owner_sent_at"),
            "{sql}: {text}"
        );
    }
    // Nothing was run.
    assert_eq!(app.count("parcels WHERE owner IS NULL").await, 0);
}

#[doyen_test::test]
async fn recorded_statements_are_explained_and_mistakes_are_named(app: Helpdesk) {
    with_parcels(&app).await;
    let url = app.database_url().to_owned();
    let help = explain(&url, &[], &["--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    let folder = std::env::temp_dir().join(format!(
        "doyen-explain-{}-{:?}",
        std::process::id(),
        app.backend()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("record.json").display().to_string();
    let setting = [("APP_EVIDENCE__RECORD", file.as_str())];
    for (environment, words, why) in [
        (&[][..], vec![], "set `evidence.record` to a file"),
        (&setting[..], vec![], "there is no record of statements at"),
        (
            &[][..],
            vec!["DROP TABLE parcels"],
            "only SELECT, WITH, INSERT, UPDATE and DELETE have plans",
        ),
        (&[][..], vec!["SELECT * FROM nowhere"], "nowhere"),
    ] {
        let ended = explain(&url, environment, &words);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(why), "not `{why}`: {ended:?}");
    }
    let record = r#"[
        {"sql": "SELECT 1", "count": 9, "micros": 10},
        {"sql": "SELECT * FROM parcels WHERE depot IN ($1, $2)", "count": 3, "micros": 45000},
        {"sql": "SELECT * FROM former WHERE id = $1", "count": 1, "micros": 500}
    ]"#;
    std::fs::write(&file, record).unwrap();
    let ended = explain(&url, &setting, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let (worst, others) = ended.stdout.split_once("\n\n").unwrap();
    assert!(
        worst.starts_with("3 runs, 45 ms\nSELECT * FROM parcels WHERE depot IN (..)"),
        "{worst}"
    );
    assert!(
        worst.contains("CREATE INDEX parcels_by_depot ON parcels (depot);"),
        "{worst}"
    );
    assert!(
        others.contains("not explained: ") && others.contains("9 runs, 0 ms"),
        "{others}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
