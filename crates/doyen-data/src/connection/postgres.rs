//! A connection to PostgreSQL.
//!
//! Every connection starts with `default_transaction_read_only = on`: single statements cannot
//! write, whatever their text. Transactions begin with `READ WRITE`. This costs nothing and lets
//! one pool serve both.

use std::time::Duration;

use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::{Outcome, SqlStatement};

/// How long an abandoned statement may run before its backend is terminated. Most end sooner, and a
/// new connection costs a fork.
const TERMINATE_AFTER: Duration = Duration::from_millis(100);

/// Timeout for each step of the cleanup, so that an unreachable server does not hold a permit.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct PostgresOptions(pub(crate) PgConnectOptions);

impl PostgresOptions {
    /// Returns user, host, port and name of the database.
    pub(super) fn target(&self) -> String {
        let socket = self.0.get_socket();
        let host = socket.map_or(self.0.get_host().into(), |socket| socket.to_string_lossy());
        format!(
            "{}@{host}:{}/{}",
            self.0.get_username(),
            self.0.get_port(),
            self.0.get_database().unwrap_or_default()
        )
    }

    pub(super) async fn connect(&self) -> Result<PostgresConnection, sqlx::Error> {
        // With a unique name the backend can be found without its process id, also through a
        // pooler.
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
        Ok(PostgresConnection { connection, name })
    }
}

pub(crate) struct PostgresConnection {
    connection: PgConnection,
    name: String,
}

impl PostgresConnection {
    pub(super) async fn run(&mut self, statement: &SqlStatement) -> Result<Outcome, sqlx::Error> {
        let connection = &mut self.connection;
        match statement {
            SqlStatement::Execute(statement) => query(statement)
                .execute(connection)
                .await
                .map(|result| Outcome::Executed(result.into())),
            SqlStatement::FetchOne(statement) => query(statement)
                .fetch_optional(connection)
                .await
                .map(|row| Outcome::Row(row.map(Into::into))),
            SqlStatement::FetchAll(statement) => query(statement)
                .fetch_all(connection)
                .await
                .map(|rows| Outcome::Rows(rows.into_iter().map(Into::into).collect())),
            SqlStatement::Script(sql) => connection
                .execute(AssertSqlSafe(sql.as_str()))
                .await
                .map(|result| Outcome::Executed(result.into())),
        }
    }

    pub(super) async fn run_sql(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        self.connection.execute(AssertSqlSafe(sql)).await.map(drop)
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    pub(super) async fn reclaim(
        mut self,
        in_flight: bool,
        options: &PostgresOptions,
    ) -> Option<Self> {
        if in_flight {
            match tokio::time::timeout(TERMINATE_AFTER, self.connection.ping()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => {
                    self.terminate_backend(options).await;
                    return None;
                }
            }
        }
        // Outside a transaction this is a warning, not an error.
        match tokio::time::timeout(CLEANUP_TIMEOUT, self.run_sql("ROLLBACK")).await {
            Ok(Ok(())) => Some(self),
            _ => None,
        }
    }

    /// Terminates the backend. Closing only the socket would leave the statement and its locks.
    async fn terminate_backend(self, options: &PostgresOptions) {
        let end = async {
            let mut other = options.0.clone().connect().await?;
            sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1")
                .bind(&self.name)
                .execute(&mut other)
                .await?;
            other.close().await
        };
        match tokio::time::timeout(CLEANUP_TIMEOUT, end).await {
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
        let _closed = tokio::time::timeout(CLEANUP_TIMEOUT, self.connection.close()).await;
    }
}

fn query(statement: &sea_orm::Statement) -> sqlx::query::Query<'_, sqlx::Postgres, SqlxValues> {
    let values = statement
        .values
        .clone()
        .unwrap_or_else(|| sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}
