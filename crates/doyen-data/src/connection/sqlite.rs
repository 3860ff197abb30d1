//! A connection to SQLite: a file in WAL mode, on its own thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sea_query_sqlx::SqlxValues;
use sqlx::sqlite::{SqliteConnectOptions, SqliteQueryResult};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::parameters::parameters;
use super::{Outcome, SqlStatement};

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqlxValues>;

/// Virtual machine instructions between two checks of the interrupt flag: tens of microseconds.
const PROGRESS_INTERVAL: i32 = 2_000;

/// Timeout for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct SqliteOptions(pub(crate) SqliteConnectOptions);

impl SqliteOptions {
    /// Returns the absolute path of the file.
    pub(super) fn target(&self) -> String {
        let file = self.0.get_filename();
        let absolute = std::path::absolute(file);
        absolute.as_deref().unwrap_or(file).display().to_string()
    }

    pub(super) async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection: sqlx::SqliteConnection = self.0.connect().await?;
        let interrupt = Arc::new(AtomicBool::new(false));
        // Nothing else ends a statement on another thread: an abandoned one would hold the writer.
        let flag = Arc::clone(&interrupt);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(PROGRESS_INTERVAL, move || !flag.load(Ordering::Relaxed));
        Ok(SqliteConnection {
            connection,
            interrupt,
        })
    }
}

pub(crate) struct SqliteConnection {
    connection: sqlx::SqliteConnection,
    interrupt: Arc<AtomicBool>,
}

impl SqliteConnection {
    pub(super) async fn run(&mut self, statement: &SqlStatement) -> Result<Outcome, sqlx::Error> {
        let connection = &mut self.connection;
        match statement {
            SqlStatement::Execute(statement) => query(String::new(), statement)?
                .execute(connection)
                .await
                .map(|result| Outcome::Executed(result.into())),
            SqlStatement::FetchOne(statement) => {
                fetch_one(connection, query(String::new(), statement)?).await
            }
            SqlStatement::FetchAll(statement) => {
                fetch_all(connection, query(String::new(), statement)?).await
            }
            SqlStatement::Script(sql) => connection
                .execute(AssertSqlSafe(sql.as_str()))
                .await
                .map(|result| Outcome::Executed(result.into())),
        }
    }

    /// Begins a transaction and runs its first statement as one text. Each trip to the thread costs
    /// more than most statements.
    pub(super) async fn begin_with(
        &mut self,
        begin: &str,
        statement: &SqlStatement,
    ) -> Result<Outcome, sqlx::Error> {
        let connection = &mut self.connection;
        let before = format!("{begin}; ");
        match statement {
            SqlStatement::Execute(statement) => {
                let counts: Vec<SqliteQueryResult> = connection
                    .fetch_many(query(before, statement)?)
                    .try_filter_map(|step| std::future::ready(Ok(step.left())))
                    .try_collect()
                    .await?;
                let mut sum = SqliteQueryResult::default();
                // The first count belongs to `BEGIN`: it repeats that of the statement before.
                sum.extend(counts.into_iter().skip(1));
                Ok(Outcome::Executed(sum.into()))
            }
            SqlStatement::FetchOne(statement) => {
                fetch_one(connection, query(before, statement)?).await
            }
            SqlStatement::FetchAll(statement) => {
                fetch_all(connection, query(before, statement)?).await
            }
            SqlStatement::Script(_) => {
                self.run_sql(begin).await?;
                self.run(statement).await
            }
        }
    }

    /// Runs a prepared statement: there are few different texts.
    pub(super) async fn run_sql(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(sql));
        query.execute(&mut self.connection).await.map(drop)
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    pub(super) async fn reclaim(mut self, in_flight: bool) -> Option<Self> {
        if !in_flight {
            return match self.run_sql("ROLLBACK").await {
                Ok(()) => Some(self),
                Err(_) => {
                    self.close().await;
                    None
                }
            };
        }
        // After an interrupted write the state of the transaction is unknown. Closing the
        // connection releases its locks before the permit.
        self.interrupt.store(true, Ordering::Relaxed);
        self.close().await;
        None
    }

    pub(super) async fn close(self) {
        let _closed = tokio::time::timeout(CLOSE_TIMEOUT, self.connection.close()).await;
    }
}

async fn fetch_one(
    connection: &mut sqlx::SqliteConnection,
    query: Query<'_>,
) -> Result<Outcome, sqlx::Error> {
    let row = query.fetch_optional(connection).await?;
    Ok(Outcome::Row(row.map(Into::into)))
}

async fn fetch_all(
    connection: &mut sqlx::SqliteConnection,
    query: Query<'_>,
) -> Result<Outcome, sqlx::Error> {
    let rows = query.fetch_all(connection).await?;
    Ok(Outcome::Rows(rows.into_iter().map(Into::into).collect()))
}

/// Returns the statement, preceded by this text without parameters.
fn query(before: String, statement: &sea_orm::Statement) -> Result<Query<'_>, sqlx::Error> {
    let values = parameters(statement)?;
    let sql = before + &statement.sql;
    Ok(sqlx::query_with(AssertSqlSafe(sql), values))
}
