//! The entities, the migrations and a database agree, and a change by hand is named.

use doyen::data::sea_orm::{ConnectionTrait as _, Database};
use doyen_test::{Ended, Program};

use crate::support::Helpdesk;

fn run(url: &str, words: &[&str]) -> Ended {
    let program = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .env("APP_ENV", "test")
        .env("DATABASE_URL", url)
        .env("APP_AUTH__SIGNING_KEY", doyen_test::SIGNING_KEY);
    words.iter().fold(program, |all, word| all.arg(word)).run()
}

async fn by_hand(url: &str, sql: &str) {
    let connection = Database::connect(url).await.unwrap();
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

#[doyen_test::test]
async fn a_change_by_hand_is_drift(app: Helpdesk) {
    let url = app.database_url().to_owned();
    let fresh = run(&url, &["migrate", "status", "--check"]);
    assert_eq!(fresh.code, Some(0), "{fresh:?}");
    assert!(fresh.stdout.contains("no drift"), "{}", fresh.stdout);
    by_hand(&url, "CREATE INDEX handmade ON tickets (body)").await;
    by_hand(&url, "ALTER TABLE comments ADD COLUMN mood text").await;
    by_hand(&url, "DROP INDEX tickets_by_kind").await;
    let changed = run(&url, &["migrate", "status"]);
    assert_eq!(changed.code, Some(0), "{changed:?}");
    for line in [
        "extra index `handmade` on `tickets`",
        "extra column `comments.mood` (text)",
        "missing index `tickets_by_kind` on `tickets`, which a migration creates",
    ] {
        assert!(changed.stdout.contains(line), "{}", changed.stdout);
    }
    let checked = run(&url, &["migrate", "status", "--check"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stdout.contains("`handmade`"), "{}", checked.stdout);
}

/// On a SQLite file and on a PostgreSQL server.
#[doyen_test::test]
async fn the_migrations_make_what_the_entities_declare(app: Helpdesk) {
    let url = app.database_url();
    let postgres = ["migrate", "diff", "--check", "--postgres-url", url];
    let words = match url.starts_with("postgres") {
        true => &postgres[..],
        false => &postgres[..3],
    };
    let ended = run(url, words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("no difference"), "{}", ended.stdout);
}
