//! A connection to SQLite: a file, in WAL mode, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sea_query_sqlx::SqlxValues;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteQueryResult};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{Ask, Reply};

type Query<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqlxValues>;

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
            Ask::Execute(statement) => query(String::new(), statement)
                .execute(connection)
                .await
                .map(|done| Reply::Done(done.into())),
            Ask::One(statement) => one(connection, query(String::new(), statement)).await,
            Ask::All(statement) => all(connection, query(String::new(), statement)).await,
            Ask::Script(sql) => connection
                .execute(AssertSqlSafe(sql.as_str()))
                .await
                .map(|done| Reply::Done(done.into())),
        }
    }

    /// Begins a transaction and runs its first statement, as one text: each trip to the thread and back costs more than most statements.
    pub(super) async fn begin_with(
        &mut self,
        begin: &str,
        ask: &Ask,
    ) -> Result<Reply, sqlx::Error> {
        let connection = &mut self.connection;
        let before = format!("{begin}; ");
        match ask {
            Ask::Execute(statement) => {
                let counts: Vec<SqliteQueryResult> = connection
                    .fetch_many(query(before, statement))
                    .try_filter_map(|step| std::future::ready(Ok(step.left())))
                    .try_collect()
                    .await?;
                let mut sum = SqliteQueryResult::default();
                // The first is that of `BEGIN`: what the statement before it, in another transaction, has touched.
                sum.extend(counts.into_iter().skip(1));
                Ok(Reply::Done(sum.into()))
            }
            Ask::One(statement) => one(connection, query(before, statement)).await,
            Ask::All(statement) => all(connection, query(before, statement)).await,
            Ask::Script(_) => {
                self.plain(begin).await?;
                self.run(ask).await
            }
        }
    }

    /// Prepared once: there are few such texts.
    pub(super) async fn plain(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(sql));
        query.execute(&mut self.connection).await.map(drop)
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

async fn one(connection: &mut SqliteConnection, query: Query<'_>) -> Result<Reply, sqlx::Error> {
    let row = query.fetch_optional(connection).await?;
    Ok(Reply::One(row.map(Into::into)))
}

async fn all(connection: &mut SqliteConnection, query: Query<'_>) -> Result<Reply, sqlx::Error> {
    let rows = query.fetch_all(connection).await?;
    Ok(Reply::All(rows.into_iter().map(Into::into).collect()))
}

/// The statement behind this text. Parameters are numbered, or counted by statement: what is before it takes none.
fn query(before: String, statement: &sea_orm::Statement) -> Query<'_> {
    let values = statement
        .values
        .clone()
        .unwrap_or_else(|| sea_orm::Values(Vec::new()));
    let sql = before + &statement.sql;
    sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values))
}
