//! `plugin_contract` finds the plugin that breaks a promise.

use doyen::App;
use doyen::app::{Manifest, Plugin, Registrar, SetupError, Stop};
use doyen::data::{Migration, Migrations};
use doyen_test::{Setup, Subject, TestApp, plugin_contract};

/// A plugin that can break each promise.
#[derive(Clone, Copy)]
struct Notes {
    up: &'static str,
    down: &'static str,
    leaks: bool,
    hangs: bool,
}

const GOOD: Notes = Notes {
    up: "CREATE TABLE notes_pages (id integer PRIMARY KEY);
         CREATE TABLE notes (page integer REFERENCES notes_pages (id));
         CREATE INDEX notes_by_page ON notes (page);",
    down: "DROP TABLE notes; DROP TABLE notes_pages;",
    leaks: false,
    hangs: false,
};

impl Plugin for Notes {
    const NAME: &'static str = "notes";
    type Settings = ();

    fn manifest(&self, manifest: &mut Manifest) {
        let step = Migration {
            version: 20_261_129_000_000,
            name: "notes",
            up: self.up,
            down: self.down,
        };
        let steps: &'static [Migration] = Box::leak(Box::new([step]));
        manifest.tables(Migrations {
            sqlite: steps,
            postgres: steps,
            folder: None,
        });
    }

    fn register(self, (): (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
        app.service("notes", move |(): ()| async move {
            if self.leaks {
                tokio::spawn(std::future::pending::<()>());
            }
            Ok(Stop::with(move || async move {
                if self.hangs {
                    std::future::pending::<()>().await;
                }
            }))
        });
        Ok(())
    }
}

struct Empty(TestApp);

impl Subject for Empty {
    fn app() -> App {
        App::new("empty")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

/// The message of the promise that the plugin breaks.
async fn broken(app: &TestApp, plugin: Notes) -> Option<String> {
    let app = app.clone();
    let setup = move || Setup::new().plugin(plugin);
    let check = tokio::spawn(async move { plugin_contract::<Notes>(&app, setup).await });
    let panic = check.await.err()?.into_panic();
    let text = panic.downcast_ref::<String>().cloned();
    Some(text.expect("the message is a text"))
}

#[doyen_test::test]
async fn a_plugin_that_keeps_all_promises_passes(app: Empty) {
    assert_eq!(broken(&app.0, GOOD).await, None);
}

#[doyen_test::test]
async fn the_name_of_a_table_or_index_is_checked(app: Empty) {
    for (up, down) in [
        ("CREATE TABLE pages (id integer);", "DROP TABLE pages;"),
        (
            "CREATE TABLE notes (id integer); CREATE INDEX by_id ON notes (id);",
            "DROP TABLE notes;",
        ),
        ("CREATE TABLE notesx (id integer);", "DROP TABLE notesx;"),
    ] {
        let message = broken(&app.0, Notes { up, down, ..GOOD }).await.unwrap();
        assert!(message.contains("must begin with"), "{message}");
        app.0.execute(down, []).await;
        app.0
            .execute("DELETE FROM doyen_migrations WHERE owner = 'notes'", [])
            .await;
    }
}

#[doyen_test::test]
async fn a_foreign_key_to_another_owner_is_refused(app: Empty) {
    let up = "CREATE TABLE notes (kid text REFERENCES doyen_signing_keys (kid));";
    let down = "DROP TABLE notes;";
    let message = broken(&app.0, Notes { up, down, ..GOOD }).await.unwrap();
    assert!(
        message.contains("`notes` refers to `doyen_signing_keys`"),
        "{message}"
    );
}

#[doyen_test::test]
async fn down_must_revert_everything(app: Empty) {
    let down = "DROP TABLE notes;";
    let message = broken(&app.0, Notes { down, ..GOOD }).await.unwrap();
    assert!(message.contains("differs after up and down"), "{message}");
}

#[doyen_test::test(sqlite)]
async fn a_task_that_is_left_is_counted(app: Empty) {
    let leaks = true;
    let message = broken(&app.0, Notes { leaks, ..GOOD }).await.unwrap();
    assert!(message.contains("leaves 1 background tasks"), "{message}");
}

#[doyen_test::test(sqlite)]
async fn a_slow_stop_is_found(app: Empty) {
    let hangs = true;
    let message = broken(&app.0, Notes { hangs, ..GOOD }).await.unwrap();
    assert!(message.contains("do not stop in time"), "{message}");
}
