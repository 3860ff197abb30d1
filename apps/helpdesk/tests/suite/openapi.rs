//! The committed document is the generated one, and migrations go up, down and up.

use std::process::Command;

use serde_json::json;

use crate::support::{Helpdesk, Join as _};

#[doyen_test::test]
async fn the_committed_document_is_the_generated_one(app: Helpdesk) {
    let committed = std::fs::read_to_string("openapi.json").unwrap();
    assert!(
        committed == app.runtime().document(),
        "apps/helpdesk/openapi.json is not what the code generates: run `cargo xtask generate`, and review the change for clients"
    );
    // The served document is the same.
    assert_eq!(
        app.get("/openapi.json").send().await.expect(200).text(),
        committed
    );
}

#[doyen_test::test]
async fn migrations_go_up_down_and_up(app: Helpdesk) {
    let migrator = app.runtime().migrator();
    let schema = async || {
        migrator
            .schema()
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    };
    let before = schema().await;
    assert!(
        before.contains("tickets") && before.contains("users"),
        "{before}"
    );
    let down = migrator
        .down(usize::MAX)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(!down.is_empty());
    let empty = schema().await;
    assert!(
        !empty.contains("tickets") && !empty.contains("users"),
        "a down migration is incomplete:\n{empty}"
    );
    let up = migrator
        .up()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(up.len(), down.len());
    assert_eq!(schema().await, before);
}

/// With rows in every table, as in production.
#[doyen_test::test]
async fn migrations_go_down_with_data(app: Helpdesk) {
    let commands = app.runtime();
    let seed = commands
        .seed()
        .unwrap_or_else(|| panic!("the demo data is missing"));
    if let Err(error) = commands.run(seed, Vec::new()).await {
        panic!("{}", error.error());
    }
    assert!(app.count("tickets").await > 0);
    let migrator = commands.migrator();
    migrator
        .down(usize::MAX)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    migrator
        .up()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(app.count("tickets").await, 0);
}

/// The file can be read and changed with the `sqlite3` of the distribution, whose SQLite is older
/// than ours: every table, view and trigger.
#[doyen_test::test(sqlite)]
async fn the_file_is_usable_with_the_sqlite3_of_the_system(app: Helpdesk) {
    let ann = app.as_customer().await;
    let ticket = ann
        .opens_with(json!({"subject": "Printer", "body": "on fire", "tags": ["b", "a"]}))
        .await
        .text_at("/id");
    ann.says(&ticket, "Hello?").await.expect(201);
    let url = app.database_url();
    let file = url
        .strip_prefix("sqlite://")
        .unwrap_or_else(|| panic!("{url}"));
    let sqlite3 = |sql: &str| {
        let output = Command::new("sqlite3").args(["-bail", file, sql]).output();
        let output = output.unwrap_or_else(|error| {
            panic!("sqlite3 cannot be started ({error}): `cargo xtask setup` installs it")
        });
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}\n{stderr}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let names = sqlite3(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND sql NOT LIKE 'CREATE VIRTUAL%'",
    );
    assert!(
        names.contains("ticket_cards") && names.contains("doyen_outbox"),
        "{names}"
    );
    for name in names.lines() {
        sqlite3(&format!("SELECT * FROM \"{name}\""));
    }
    assert_eq!(sqlite3("SELECT tags FROM ticket_cards"), "a b");
    assert_eq!(sqlite3("PRAGMA integrity_check"), "ok");
    // The triggers run there too.
    let found = "SELECT count(*) FROM ticket_index WHERE ticket_index MATCH 'search : \"smoke\"'";
    assert_eq!(sqlite3(found), "0");
    sqlite3("UPDATE tickets SET search = 'printer' || char(10) || 'smoke'");
    assert_eq!(sqlite3(found), "1");
    let page = ann.get("/v1/tickets?q=smoke").send().await.expect(200);
    assert_eq!(page.text_at("/items/0/id"), ticket);
    sqlite3("PRAGMA foreign_keys = ON; DELETE FROM tickets");
    assert_eq!(sqlite3(found), "0");
}

/// SQLite has no autovacuum: an application gathers the statistics of its planner when it starts.
#[doyen_test::test(sqlite)]
async fn a_start_gathers_planner_statistics(app: Helpdesk) {
    app.as_customer().await.opens("printer").await;
    let node = app.another(crate::support::patient()).await;
    let tables = "sqlite_stat1 WHERE tbl = 'tickets'";
    assert!(node.count(tables).await > 0);
}
