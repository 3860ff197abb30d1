//! The committed document is the generated one, and migrations go up, down and up.

use crate::support::Helpdesk;

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
