//! A connection to a database of either kind: statements in, rows out.
//!
//! Only this module uses the driver (sqlx). It knows nothing about requests and sessions.

mod parameters;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;

use sea_orm::{DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Value};

#[cfg(feature = "sqlite-fast-reads")]
pub(crate) use parameters::why_not_storable;
#[cfg(feature = "postgres")]
pub(crate) use postgres::{POOLER_FOUND, PostgresConnection, PostgresOptions, ServerSettings};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{SqliteConnection, SqliteOptions};

use crate::error::is_dead;

/// A statement for a connection, and what to return of it.
#[derive(Debug)]
pub(crate) enum SqlStatement {
    /// Run it and count the affected rows.
    Execute(Statement),
    /// Return the first row.
    FetchOne(Statement),
    /// Return all rows.
    FetchAll(Statement),
    /// Run this text without preparing it. It may contain several statements.
    Script(String),
}

impl SqlStatement {
    pub(crate) fn sql(&self) -> &str {
        match self {
            SqlStatement::Execute(statement)
            | SqlStatement::FetchOne(statement)
            | SqlStatement::FetchAll(statement) => &statement.sql,
            SqlStatement::Script(sql) => sql,
        }
    }

    /// The values of its parameters.
    pub(crate) fn values(&self) -> &[Value] {
        match self {
            SqlStatement::Execute(statement)
            | SqlStatement::FetchOne(statement)
            | SqlStatement::FetchAll(statement) => {
                statement.values.as_ref().map_or(&[], |values| &values.0)
            }
            SqlStatement::Script(_) => &[],
        }
    }

    /// Wraps a driver error in the variant for this kind of statement.
    pub(crate) fn error(&self, error: sqlx::Error) -> DbErr {
        let error = crate::error::with_sql(error, self.sql());
        let error = RuntimeErr::SqlxError(Arc::new(error));
        match self {
            SqlStatement::Execute(_) | SqlStatement::Script(_) => DbErr::Exec(error),
            SqlStatement::FetchOne(_) | SqlStatement::FetchAll(_) => DbErr::Query(error),
        }
    }
}

/// The result of an [`SqlStatement`], by its variant.
pub(crate) enum Outcome {
    Executed(ExecResult),
    Row(Option<QueryResult>),
    Rows(Vec<QueryResult>),
}

/// How to open a connection.
pub(crate) enum ConnectOptions {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteOptions),
    #[cfg(feature = "postgres")]
    Postgres(PostgresOptions),
}

impl ConnectOptions {
    pub(crate) async fn connect(&self) -> Result<Connection, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(options) => Ok(Connection::Sqlite(options.connect().await?)),
            #[cfg(feature = "postgres")]
            ConnectOptions::Postgres(options) => Ok(Connection::Postgres(options.connect().await?)),
        }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        match self {
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(_) => DbBackend::Sqlite,
            #[cfg(feature = "postgres")]
            ConnectOptions::Postgres(_) => DbBackend::Postgres,
        }
    }

    /// Returns what is opened, without the password.
    pub(crate) fn target(&self) -> String {
        match self {
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(options) => options.target(),
            #[cfg(feature = "postgres")]
            ConnectOptions::Postgres(options) => options.target(),
        }
    }

    /// Returns the statement that begins a transaction.
    pub(crate) fn begin_sql(&self) -> &str {
        match self {
            // A deferred transaction that becomes a writer gets SQLITE_BUSY without waiting.
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(_) => "BEGIN IMMEDIATE",
            #[cfg(feature = "postgres")]
            ConnectOptions::Postgres(options) => &options.begin,
        }
    }

    /// Returns the statement that begins the transaction of a single read, if it needs one.
    pub(crate) fn begin_read_sql(&self) -> Option<&str> {
        match self {
            #[cfg(feature = "sqlite")]
            ConnectOptions::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            ConnectOptions::Postgres(options) => options.begin_read.as_deref(),
        }
    }

    /// Returns true if `BEGIN` is sent together with the first statement. PostgreSQL accepts only
    /// one statement with parameters at a time.
    pub(crate) fn begins_with_statement(&self) -> bool {
        self.backend() == DbBackend::Sqlite
    }
}

/// An open connection.
pub(crate) enum Connection {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PostgresConnection),
}

impl Connection {
    pub(crate) async fn run(&mut self, statement: &SqlStatement) -> Result<Outcome, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => connection.run(statement).await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => connection.run(statement).await,
        }
    }

    /// Begins a transaction with its first statement. See
    /// [`ConnectOptions::begins_with_statement`].
    pub(crate) async fn begin_with(
        &mut self,
        begin: &str,
        statement: &SqlStatement,
    ) -> Result<Outcome, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => connection.begin_with(begin, statement).await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => {
                connection.run_sql(begin).await?;
                connection.run(statement).await
            }
        }
    }

    /// Runs a statement without parameters or rows, such as `COMMIT`.
    pub(crate) async fn run_sql(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => connection.run_sql(sql).await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => connection.run_sql(sql).await,
        }
    }

    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => connection.ping().await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => connection.ping().await,
        }
    }

    /// Resets a connection whose statement or transaction was abandoned. Closes it, with everything
    /// it holds, if that fails.
    pub(crate) async fn reclaim(self, in_flight: bool, options: &ConnectOptions) -> Option<Self> {
        match (self, options) {
            #[cfg(feature = "sqlite")]
            (Connection::Sqlite(connection), _) => {
                connection.reclaim(in_flight).await.map(Connection::Sqlite)
            }
            #[cfg(feature = "postgres")]
            (Connection::Postgres(connection), ConnectOptions::Postgres(options)) => connection
                .reclaim(in_flight, options)
                .await
                .map(Connection::Postgres),
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            (Connection::Postgres(_), ConnectOptions::Sqlite(_)) => None,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => connection.close().await,
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => connection.close().await,
        }
    }
}

/// Returns true if the connection that returned this error is lost.
pub(crate) fn is_lost(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => is_dead(error),
        _ => false,
    }
}
