//! A connection to PostgreSQL.
//!
//! Every connection starts with `default_transaction_read_only = on`: statements that run on their own can not write, whatever their text
//! says, and a unit of work begins with `READ WRITE`. It costs nothing and one pool serves both.

use std::time::Duration;

use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{Ask, Reply};

/// How long an abandoned statement may go on before its backend is ended: most are done by then, and a new connection costs a fork.
const GRACE: Duration = Duration::from_millis(100);

/// How long a step of the clean-up may take; a server that is away must not hold the pool's place for ever.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct PostgresRecipe(pub(crate) PgConnectOptions);

impl PostgresRecipe {
    pub(super) async fn open(&self) -> Result<PostgresLink, sqlx::Error> {
        // A name of its own lets us find the backend again, through a pooler too, without asking for its process id first.
        let label = self.0.get_application_name().unwrap_or("doyen");
        let label: String = label
            .chars()
            .filter(char::is_ascii_graphic)
            .take(40)
            .collect();
        let name = format!(
            "{label} {:08x}",
            getrandom::u32().unwrap_or_else(|_| std::process::id())
        );
        let connection = self.0.clone().application_name(&name).connect().await?;
        Ok(PostgresLink { connection, name })
    }
}

pub(crate) struct PostgresLink {
    connection: PgConnection,
    name: String,
}

impl PostgresLink {
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

    pub(super) async fn reclaim(
        mut self,
        in_flight: bool,
        recipe: &PostgresRecipe,
    ) -> Option<Self> {
        if in_flight {
            match tokio::time::timeout(GRACE, self.connection.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    self.end_backend(recipe).await;
                    return None;
                }
            }
        }
        // Outside a transaction this is a warning, not an error.
        match tokio::time::timeout(PATIENCE, self.plain("ROLLBACK")).await {
            Ok(Ok(())) => Some(self),
            _ => None,
        }
    }

    /// Closing the socket alone would leave the statement running, with its locks, until it is done.
    async fn end_backend(self, recipe: &PostgresRecipe) {
        let end = async {
            let mut other = recipe.0.clone().connect().await?;
            sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1")
                .bind(&self.name)
                .execute(&mut other)
                .await?;
            other.close().await
        };
        match tokio::time::timeout(PATIENCE, end).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "an abandoned statement could not be ended; it runs until its timeout")
            }
            Err(_) => tracing::warn!(
                "an abandoned statement could not be ended; it runs until its timeout"
            ),
        }
    }

    pub(super) async fn close(self) {
        let _closed = tokio::time::timeout(PATIENCE, self.connection.close()).await;
    }
}

fn query(statement: &sea_orm::Statement) -> sqlx::query::Query<'_, sqlx::Postgres, SqlxValues> {
    let values = statement
        .values
        .clone()
        .unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
