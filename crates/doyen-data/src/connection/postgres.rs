//! A connection to PostgreSQL.
//!
//! Every connection starts with `default_transaction_read_only = on`: single statements cannot
//! write, whatever their text. Transactions begin with `READ WRITE`. This costs nothing and lets
//! one pool serve both. See [`server_settings`] for poolers.

mod server_settings;

use std::time::Duration;

use sea_query_sqlx::SqlxValues;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, Row as _,
};

use super::parameters::parameters;
use super::{Outcome, SqlStatement};
use crate::Pooler;
use crate::row::{UNREADABLE_TIME, is_readable_time};

pub(crate) use server_settings::{POOLER_FOUND, ServerSettings};

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, SqlxValues>;

/// Types of columns, as numbered by PostgreSQL.
const DATE: Oid = Oid(1082);
const TIME: Oid = Oid(1083);
const TIMESTAMP: Oid = Oid(1114);
const TIMESTAMPTZ: Oid = Oid(1184);

/// How long an abandoned statement may run before its backend is terminated. Most end sooner, and a
/// new connection costs a fork.
const TERMINATE_AFTER: Duration = Duration::from_millis(100);

/// Timeout for each step of the cleanup, so that an unreachable server does not hold a permit.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct PostgresOptions {
    connect: PgConnectOptions,
    settings: ServerSettings,
    pub(super) begin: String,
    pub(super) begin_read: Option<String>,
}

impl PostgresOptions {
    pub(crate) fn new(connect: PgConnectOptions, settings: ServerSettings) -> Self {
        Self {
            begin: settings.begin(),
            begin_read: settings.begin_read(),
            connect,
            settings,
        }
    }

    /// Returns user, host, port and name of the database.
    pub(super) fn target(&self) -> String {
        let socket = self.connect.get_socket();
        let host = socket.map_or(self.connect.get_host().into(), |socket| {
            socket.to_string_lossy()
        });
        format!(
            "{}@{host}:{}/{}",
            self.connect.get_username(),
            self.connect.get_port(),
            self.connect.get_database().unwrap_or_default()
        )
    }

    pub(super) async fn connect(&self) -> Result<PostgresConnection, sqlx::Error> {
        // With a unique name the backend can be found without its process id, also through a
        // pooler.
        let label = self.connect.get_application_name().unwrap_or("doyen");
        let label: String = label
            .chars()
            .filter(char::is_ascii_graphic)
            .take(40)
            .collect();
        let name = format!(
            "{label} {:08x}",
            getrandom::u32().unwrap_or_else(|_| std::process::id())
        );
        let options = self.connect.clone().application_name(&name);
        let mut connection = options.connect().await?;
        if let Some(sql) = self.settings.on_connect() {
            connection.execute(AssertSqlSafe(sql)).await?;
        }
        if let Some(sql) = self.settings.check() {
            let row = connection.fetch_one(AssertSqlSafe(sql)).await?;
            if !row.try_get::<bool, _>(0)? {
                return Err(sqlx::Error::Configuration(POOLER_FOUND.into()));
            }
        }
        Ok(PostgresConnection {
            connection,
            name,
            keeps_statements: self.settings.pooler != Pooler::Transaction,
        })
    }

    /// Returns true if two connections have the same server connection, which only a pooler in
    /// transaction mode does.
    pub(crate) async fn shares_server_connections(&self) -> Result<bool, sqlx::Error> {
        let sql = "SELECT pg_backend_pid()";
        let mut one = self.connect.connect().await?;
        let first: i32 = one.fetch_one(sql).await?.try_get(0)?;
        let mut two = self.connect.connect().await?;
        let second: i32 = two.fetch_one(sql).await?.try_get(0)?;
        two.close().await?;
        one.close().await?;
        Ok(first == second)
    }
}

pub(crate) struct PostgresConnection {
    connection: PgConnection,
    name: String,
    /// True if a prepared statement stays prepared.
    keeps_statements: bool,
}

impl PostgresConnection {
    pub(super) async fn run(&mut self, statement: &SqlStatement) -> Result<Outcome, sqlx::Error> {
        let keeps = self.keeps_statements;
        let connection = &mut self.connection;
        match statement {
            SqlStatement::Execute(statement) => query(statement, keeps)?
                .execute(connection)
                .await
                .map(|result| Outcome::Executed(result.into())),
            SqlStatement::FetchOne(statement) => {
                let row = query(statement, keeps)?.fetch_optional(connection).await?;
                check_times(row.as_slice())?;
                Ok(Outcome::Row(row.map(Into::into)))
            }
            SqlStatement::FetchAll(statement) => {
                let rows = query(statement, keeps)?.fetch_all(connection).await?;
                check_times(&rows)?;
                Ok(Outcome::Rows(rows.into_iter().map(Into::into).collect()))
            }
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
            let mut other = options.connect.connect().await?;
            // One message without parameters, which every pooler passes on whole.
            let sql = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
                self.name.replace('\'', "''")
            );
            other.execute(AssertSqlSafe(sql)).await?;
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

fn query(statement: &sea_orm::Statement, keeps: bool) -> Result<Query<'_>, sqlx::Error> {
    let values = parameters(statement)?;
    Ok(sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), values).persistent(keeps))
}

/// Returns an error if a row holds a time that sqlx cannot convert: it would panic, or change it.
fn check_times(rows: &[PgRow]) -> Result<(), sqlx::Error> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    for column in first.columns() {
        let of = column.type_info().oid();
        if !matches!(of, Some(DATE | TIME | TIMESTAMP | TIMESTAMPTZ)) {
            continue;
        }
        for row in rows {
            let value = row.try_get_raw(column.ordinal())?;
            let bytes = value.as_bytes().unwrap_or_default();
            if !is_readable_time(bytes, of == Some(TIME)) {
                let what = format!(
                    "the column `{}` cannot be read: {UNREADABLE_TIME}",
                    column.name()
                );
                return Err(sqlx::Error::Decode(what.into()));
            }
        }
    }
    Ok(())
}
