//! What a reader promises, on a file of its own for each test.

mod equivalence;
mod long_statements;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::Access;
use sea_orm::{ConnAcquireErr, FromQueryResult, QueryResult, TryGetable};

use super::*;
use crate::{Cell, Cells, Database, Synchronous};

/// A row with one column, `v`.
#[derive(Debug, PartialEq)]
struct One<T>(T);

impl<T: TryGetable> FromQueryResult for One<T> {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        row.try_get(prefix, "v").map(One)
    }
}

impl<T: TryGetable + Cell + Send + 'static> Row for One<T> {
    fn read(cells: &mut Cells<'_>) -> Result<Self, DbErr> {
        cells.get("v").map(One)
    }
}

/// A statement of about 19 steps for each number.
fn counting_to(number: u64) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT max(i) AS v FROM n"
    )
}

/// Takes a minute, if it is let.
fn endless() -> String {
    counting_to(1_000_000_000)
}

struct Fresh {
    folder: PathBuf,
    database: Database,
    options: DatabaseOptions,
}

impl Fresh {
    async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("doyen-read-{}-{number}", std::process::id()));
        let url = format!("sqlite://{}/test.db", folder.display());
        let options = DatabaseOptions {
            synchronous: Synchronous::Normal,
            ..DatabaseOptions::new(url)
        };
        let database = Database::connect(&options).await.unwrap();
        Self {
            folder,
            database,
            options,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("test.db")
    }

    /// With this number of connections.
    fn reader(&self, connections: u32) -> SqliteReader {
        self.reader_with(|options| options.max_connections = connections)
    }

    fn reader_with(&self, change: impl FnOnce(&mut DatabaseOptions)) -> SqliteReader {
        let mut options = self.options.clone();
        change(&mut options);
        SqliteReader::new(&self.file(), &options)
    }

    async fn write(&self, sql: &str) {
        let session = self.database.session(Access::Write);
        session.execute_sql(sql, []).await.unwrap();
        session.commit().await.unwrap();
    }

    async fn drop(self) {
        self.database.close().await;
        std::fs::remove_dir_all(self.folder).unwrap();
    }
}

impl SqliteReader {
    async fn one<T: TryGetable + Cell + Send + 'static>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<T, ReadError> {
        let row = self.first::<One<T>>(sql, values).await?;
        Ok(row.expect("a row").0)
    }
}

#[tokio::test]
async fn a_look_up_opens_one_connection_and_keeps_it() {
    let fresh = Fresh::new().await;
    fresh
        .write("CREATE TABLE things (id integer PRIMARY KEY, name text)")
        .await;
    fresh
        .write("INSERT INTO things VALUES (1, 'one'), (2, 'two'), (3, 'three')")
        .await;
    let reader = fresh.reader(4);
    assert_eq!(reader.size().open, 0, "opened when first needed");
    for (id, name) in [(1_i64, "one"), (2, "two"), (3, "three")] {
        let found: String = reader
            .one("SELECT name AS v FROM things WHERE id = $1", &[id.into()])
            .await
            .unwrap();
        assert_eq!(found, name);
    }
    let all: Vec<One<i64>> = reader
        .all("SELECT id AS v FROM things ORDER BY id", &[])
        .await
        .unwrap();
    assert_eq!(all, [One(1), One(2), One(3)]);
    let first: Option<One<i64>> = reader
        .first("SELECT id AS v FROM things ORDER BY id DESC", &[])
        .await
        .unwrap();
    assert_eq!(first, Some(One(3)));
    let none: Option<One<i64>> = reader
        .first("SELECT id AS v FROM things WHERE id = 9", &[])
        .await
        .unwrap();
    assert_eq!(none, None);
    let size = reader.size();
    assert_eq!((size.open, size.idle, size.max), (1, 1, 4));
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn writes_are_refused_by_the_database() {
    let fresh = Fresh::new().await;
    fresh.write("CREATE TABLE things (v integer)").await;
    let reader = fresh.reader(1);
    let error = reader
        .one::<i64>("INSERT INTO things VALUES (1) RETURNING v", &[])
        .await
        .unwrap_err();
    let ReadError::Failed(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(crate::error::code(&error).as_deref(), Some("8"));
    // Without columns it is not a read at all.
    let error = reader
        .one::<i64>("INSERT INTO things VALUES (1)", &[])
        .await
        .unwrap_err();
    assert!(matches!(error, ReadError::Fallback), "{error:?}");
    assert_eq!(
        reader
            .one::<i64>("SELECT count(*) AS v FROM things", &[])
            .await
            .unwrap(),
        0
    );
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn an_error_is_the_one_that_sqlx_would_give() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader(1);
    for sql in [
        "SELECT v FROM nowhere",
        "SELECT abs(-9223372036854775808) AS v",
        "SELECT (",
    ] {
        let error = reader.one::<i64>(sql, &[]).await.unwrap_err();
        let ReadError::Failed(error) = error else {
            panic!("{error:?}");
        };
        let session = fresh.database.session(Access::Read);
        let theirs = One::<i64>::find_by_statement(session_statement(sql))
            .one(&session)
            .await
            .unwrap_err();
        assert_eq!(crate::error::code(&error), crate::error::code(&theirs));
        let message = |error: &DbErr| {
            let error = crate::error::sqlx_error(error).unwrap();
            error.as_database_error().unwrap().message().to_owned()
        };
        assert_eq!(message(&error), message(&theirs));
        assert!(crate::classify(&error).is_none());
    }
    reader.close().await;
    fresh.drop().await;
}

fn session_statement(sql: &str) -> sea_orm::Statement {
    sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)
}

#[tokio::test]
async fn a_changed_schema_is_seen_by_statements_already_prepared() {
    let fresh = Fresh::new().await;
    fresh.write("CREATE TABLE things (v integer)").await;
    fresh.write("INSERT INTO things VALUES (7)").await;
    let reader = fresh.reader(1);
    let sql = "SELECT * FROM things";
    assert_eq!(reader.one::<i64>(sql, &[]).await.unwrap(), 7);
    fresh
        .write("ALTER TABLE things RENAME COLUMN v TO old")
        .await;
    let gone = reader.one::<i64>(sql, &[]).await.unwrap_err();
    assert!(
        matches!(gone, ReadError::Failed(DbErr::Type(_))),
        "{gone:?}"
    );
    fresh
        .write("ALTER TABLE things ADD COLUMN v integer NOT NULL DEFAULT 8")
        .await;
    assert_eq!(reader.one::<i64>(sql, &[]).await.unwrap(), 8);

    // The same when so many others ran that the statement is prepared again from its text,
    // and its first run finds nothing.
    let sql = "SELECT * FROM things LIMIT 1";
    assert_eq!(reader.one::<i64>(sql, &[]).await.unwrap(), 8);
    for other in 0..200 {
        let other = format!("SELECT {other} AS v");
        assert!(reader.one::<i64>(&other, &[]).await.is_ok());
    }
    fresh.write("DELETE FROM things").await;
    fresh
        .write("ALTER TABLE things RENAME COLUMN v TO older")
        .await;
    fresh
        .write("ALTER TABLE things RENAME COLUMN old TO v")
        .await;
    // With this the connection knows the schema before it prepares that statement.
    let count = "SELECT count(*) AS v FROM things";
    assert_eq!(reader.one::<i64>(count, &[]).await.unwrap(), 0);
    assert_eq!(reader.first::<One<i64>>(sql, &[]).await.unwrap(), None);
    fresh
        .write("INSERT INTO things (v, older) VALUES (9, 1)")
        .await;
    assert_eq!(reader.one::<i64>(sql, &[]).await.unwrap(), 9);
    reader.close().await;
    fresh.drop().await;
}

struct Panics;

impl FromQueryResult for Panics {
    fn from_query_result(_: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Err(DbErr::RecordNotFound(String::new()))
    }
}

impl Row for Panics {
    fn read(_: &mut Cells<'_>) -> Result<Self, DbErr> {
        panic!("in the middle of a row")
    }
}

#[tokio::test]
async fn a_panic_while_reading_costs_no_connection() {
    let fresh = Fresh::new().await;
    let reader = Arc::new(fresh.reader(1));
    for sql in ["SELECT 1 AS v".to_owned(), counting_to(100_000)] {
        let reading = Arc::clone(&reader);
        let text = sql.clone();
        let panicked = tokio::spawn(async move { reading.all::<Panics>(&text, &[]).await }).await;
        let panic = panicked.err().unwrap().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"in the middle of a row"));
        assert!(reader.one::<i64>(&sql, &[]).await.is_ok());
        assert_eq!((reader.size().open, reader.size().idle), (1, 1));
    }
    reader.close().await;
    fresh.drop().await;
}

#[tokio::test]
async fn closing_frees_the_file_and_refuses_later_statements() {
    let fresh = Fresh::new().await;
    fresh.write("CREATE TABLE things (v integer)").await;
    let reader = Arc::new(fresh.reader(2));
    assert!(reader.one::<i64>("SELECT 1 AS v", &[]).await.is_ok());
    let reading = Arc::clone(&reader);
    let long = tokio::spawn(async move { reading.one::<i64>(&counting_to(300_000), &[]).await });
    while reader.size().idle == reader.size().open {
        tokio::task::yield_now().await;
    }
    reader.close().await;
    assert_eq!((reader.size().open, reader.size().idle), (0, 0));
    assert_eq!(
        long.await.unwrap().unwrap(),
        300_000,
        "what reads may finish"
    );
    let late = reader.one::<i64>("SELECT 1 AS v", &[]).await.unwrap_err();
    assert!(
        matches!(
            late,
            ReadError::Failed(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
        ),
        "{late:?}"
    );
    fresh.database.close().await;
    let left: Vec<_> = std::fs::read_dir(&fresh.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["test.db"], "no log is left next to the file");
    fresh.drop().await;
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let fresh = Fresh::new().await;
    let reader = fresh.reader_with(|options| options.idle_timeout = Duration::from_millis(1));
    assert!(reader.one::<i64>("SELECT 1 AS v", &[]).await.is_ok());
    assert_eq!(reader.size().open, 1);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(reader.size().open, 0);
    let reader = fresh.reader_with(|options| options.max_lifetime = Duration::ZERO);
    assert!(reader.one::<i64>("SELECT 1 AS v", &[]).await.is_ok());
    assert_eq!(reader.size().open, 0, "too old as soon as it is opened_at");
    fresh.drop().await;
}
