//! Each test has its own database; that of a failed test is kept until its next run.

use std::sync::{Arc, Mutex};

use doyen::data::sea_orm::{self, FromQueryResult};
use doyen_test::{Backend, Setup, Subject, TestApp};
use serde_json::json;

use crate::shop::Shop;

/// Two runs of one test, one after the other, each with its own row.
#[doyen_test::test]
async fn a_test_begins_with_empty_tables(shop: Shop) {
    assert_eq!(shop.count("notes").await, 0);
    shop.post("/shop/notes")
        .json(&json!({"id": 1, "text": "tea"}))
        .send()
        .await
        .expect(201);
    assert_eq!(
        shop.get("/shop/notes")
            .send()
            .await
            .expect(200)
            .at("/notes"),
        1
    );
    assert_eq!(shop.count("notes").await, 1);
}

/// The same rows as the test above: they would conflict in one database.
#[doyen_test::test]
async fn and_so_does_the_next_one(shop: Shop) {
    assert_eq!(
        shop.execute(
            "INSERT INTO notes (id, text) VALUES ($1, $2)",
            [1.into(), "tea".into()]
        )
        .await,
        1
    );
    assert_eq!(shop.count("notes").await, 1);
}

#[doyen_test::test]
async fn another_node_shares_database_and_clock(shop: Shop) {
    let other = shop.another(Setup::new()).await;
    shop.post("/shop/notes")
        .json(&json!({"id": 1, "text": "tea"}))
        .send()
        .await
        .expect(201);
    assert_eq!(other.get("/shop/notes").send().await.at("/notes"), 1);
    shop.clock().advance(std::time::Duration::from_secs(1));
    assert_eq!(
        other.get("/shop/hour").send().await.at("/now"),
        "2026-11-22T08:30:01.000000Z"
    );
}

/// Runs a test without the attribute: its behaviour for a failed test is only visible from here.
fn run_and_fail(backend: Backend, name: &str) -> String {
    static URL: Mutex<String> = Mutex::new(String::new());
    let failed = std::panic::catch_unwind(|| {
        doyen_test::__private::run(backend, name, |shop: Shop| async move {
            shop.post("/shop/notes")
                .json(&json!({"id": 1, "text": "kept"}))
                .send()
                .await
                .expect(201);
            *URL.lock().unwrap() = shop.database_url().to_owned();
            panic!("on purpose");
        });
    });
    assert_eq!(
        failed.unwrap_err().downcast_ref::<&str>(),
        Some(&"on purpose")
    );
    URL.lock().unwrap().clone()
}

fn run_well(backend: Backend, name: &str) -> String {
    let url = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&url);
    doyen_test::__private::run(backend, name, |shop: Shop| async move {
        *seen.lock().unwrap() = shop.database_url().to_owned();
    });
    url.lock().unwrap().clone()
}

/// Returns the number of notes in a kept database; `None` if it is gone.
fn notes(url: &str) -> Option<i64> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        if let Some(file) = url.strip_prefix("sqlite://")
            && !std::path::Path::new(file).exists()
        {
            return None;
        }
        let loader = doyen::settings::Loader::new("APP")
            .env(std::iter::empty::<(String, String)>())
            .environment(doyen::settings::Environment::Test)
            .set("database.url", url)
            .set(
                "auth.signing_key",
                "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc",
            );
        let runtime = Shop::app()
            .start(loader, doyen::Overrides::default())
            .await
            .ok()?;
        #[derive(FromQueryResult, doyen::data::Row)]
        struct Row {
            notes: i64,
        }
        let session = runtime.database().session(doyen::domain::Access::Read);
        let row: Option<Row> = session
            .query_one_as("SELECT count(*) AS notes FROM notes", [])
            .await
            .ok()?;
        runtime.stop().await;
        row.map(|row| row.notes)
    })
}

fn kept_then_swept(backend: Backend, name: &str) {
    let kept = run_and_fail(backend, name);
    assert_eq!(
        notes(&kept),
        Some(1),
        "the database of a failed test is kept"
    );
    let second = run_well(backend, name);
    assert_eq!(notes(&kept), None, "its next run removes it");
    assert_eq!(notes(&second), None, "a test that succeeds leaves nothing");
}

#[test]
fn a_failed_test_keeps_its_database_sqlite() {
    kept_then_swept(Backend::Sqlite, "databases::kept_sqlite");
}

#[test]
fn a_failed_test_keeps_its_database_postgres() {
    kept_then_swept(Backend::Postgres, "databases::kept_postgres");
}

/// A concurrent run of the same test keeps its database.
#[test]
fn cleanup_keeps_databases_in_use() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        doyen_test::__private::run(backend, "databases::spared", |outer: Shop| async move {
            let inner = std::thread::spawn(move || run_well(backend, "databases::spared"));
            inner.join().unwrap();
            assert_eq!(outer.count("notes").await, 0);
        });
    }
}

#[doyen_test::test(sqlite)]
async fn a_subject_is_any_type(app: Bare) {
    assert_eq!(
        app.0
            .operations()
            .iter()
            .filter(|operation| !operation.hidden)
            .count(),
        0
    );
}

struct Bare(TestApp);

impl Subject for Bare {
    fn app() -> doyen::App {
        doyen::App::new("bare")
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}
