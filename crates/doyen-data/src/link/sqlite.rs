//! A connection to SQLite: a file, in WAL mode, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_query_sqlx::SqlxValues;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{Ask, Reply};

/// Virtual machine instructions between two looks at the interrupt flag: some tens of microseconds.
const STEPS: i32 = 2_000;

/// How long an interrupted connection may take to say it is done.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct SqliteRecipe(pub(crate) SqliteConnectOptions);

impl SqliteRecipe {
    pub(super) async fn open(&self) -> Result<SqliteLink, sqlx::Error> {
        let mut connection: SqliteConnection = self.0.connect().await?;
        let interrupt = Arc::new(AtomicBool::new(false));
        // Nothing else ends a statement that runs on a thread: without this an abandoned one would hold the writer until it is done.
        let flag = Arc::clone(&interrupt);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(STEPS, move || !flag.load(Ordering::Relaxed));
        Ok(SqliteLink {
            connection,
            interrupt,
        })
    }
}

pub(crate) struct SqliteLink {
    connection: SqliteConnection,
    interrupt: Arc<AtomicBool>,
}

impl SqliteLink {
    pub(super) async fn run(&mut self, ask: &Ask) -> Result<Reply, sqlx::Error> {
        let connection = &mut self.connection;
        match ask {
            Ask::Execute(statement) => query(statement)
                .execute(connection)
                .await
                .map(|done| Reply::Done(done.into())),
            Ask::One(statement) => query(statement)
                .fetch_optional(connection)
                .await
                .map(|row| Reply::One(row.map(Into::into))),
            Ask::All(statement) => query(statement)
                .fetch_all(connection)
                .await
                .map(|rows| Reply::All(rows.into_iter().map(Into::into).collect())),
            Ask::Script(sql) => connection
                .execute(AssertSqlSafe(sql.as_str()))
                .await
                .map(|done| Reply::Done(done.into())),
        }
    }

    pub(super) async fn plain(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        self.connection.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    pub(super) async fn reclaim(mut self, in_flight: bool) -> Option<Self> {
        if !in_flight {
            return match self.plain("ROLLBACK").await {
                Ok(()) => Some(self),
                Err(_) => {
                    self.close().await;
                    None
                }
            };
        }
        // An interrupted write may or may not have ended its transaction. Opening a new connection costs less than finding out, and
        // closing this one releases whatever it holds; the permit goes back only after that.
        self.interrupt.store(true, Ordering::Relaxed);
        self.close().await;
        None
    }

    pub(super) async fn close(self) {
        let _closed = tokio::time::timeout(PATIENCE, self.connection.close()).await;
    }
}

fn query(statement: &sea_orm::Statement) -> sqlx::query::Query<'_, sqlx::Sqlite, SqlxValues> {
    let values = statement
        .values
        .clone()
        .unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
