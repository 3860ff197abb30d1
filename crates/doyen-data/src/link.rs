//! One connection to a database, whichever it is: statements in, rows out.
//!
//! This is the only place that names the driver (sqlx). It knows nothing of requests or sessions.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::sync::Arc;

use sea_orm::{DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};

#[cfg(feature = "postgres")]
pub(crate) use postgres::{PostgresLink, PostgresRecipe};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::{SqliteLink, SqliteRecipe};

use crate::error::is_dead;

/// What is asked of a connection.
#[derive(Debug)]
pub(crate) enum Ask {
    /// Run it, count the rows it touched.
    Execute(Statement),
    /// Its first row.
    One(Statement),
    /// All its rows.
    All(Statement),
    /// Run this text as it is; it may hold several statements.
    Script(String),
}

impl Ask {
    pub(crate) fn sql(&self) -> &str {
        match self {
            Ask::Execute(statement) | Ask::One(statement) | Ask::All(statement) => &statement.sql,
            Ask::Script(sql) => sql,
        }
    }

    /// The error of this kind of question.
    pub(crate) fn error(&self, error: sqlx::Error) -> DbErr {
        let error = RuntimeErr::SqlxError(Arc::new(error));
        match self {
            Ask::Execute(_) | Ask::Script(_) => DbErr::Exec(error),
            Ask::One(_) | Ask::All(_) => DbErr::Query(error),
        }
    }
}

/// The answer to an [`Ask`] of the same name.
pub(crate) enum Reply {
    Done(ExecResult),
    One(Option<QueryResult>),
    All(Vec<QueryResult>),
}

/// How a connection is opened.
pub(crate) enum Recipe {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteRecipe),
    #[cfg(feature = "postgres")]
    Postgres(PostgresRecipe),
}

impl Recipe {
    pub(crate) async fn open(&self) -> Result<Link, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Recipe::Sqlite(recipe) => Ok(Link::Sqlite(recipe.open().await?)),
            #[cfg(feature = "postgres")]
            Recipe::Postgres(recipe) => Ok(Link::Postgres(recipe.open().await?)),
        }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        match self {
            #[cfg(feature = "sqlite")]
            Recipe::Sqlite(_) => DbBackend::Sqlite,
            #[cfg(feature = "postgres")]
            Recipe::Postgres(_) => DbBackend::Postgres,
        }
    }

    /// The statement that begins a unit of work.
    pub(crate) fn begin(&self) -> &'static str {
        match self {
            // Deferred transactions that turn into writers meet SQLITE_BUSY without waiting.
            #[cfg(feature = "sqlite")]
            Recipe::Sqlite(_) => "BEGIN IMMEDIATE",
            // Each connection is read-only until told otherwise: this is what lets one pool serve reads safely.
            #[cfg(feature = "postgres")]
            Recipe::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
        }
    }

    /// Whether the beginning of a unit of work travels with its first statement. PostgreSQL takes one statement at a time when it has parameters.
    pub(crate) fn begins_along(&self) -> bool {
        self.backend() == DbBackend::Sqlite
    }
}

/// An open connection.
pub(crate) enum Link {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteLink),
    #[cfg(feature = "postgres")]
    Postgres(PostgresLink),
}

impl Link {
    pub(crate) async fn run(&mut self, ask: &Ask) -> Result<Reply, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Link::Sqlite(link) => link.run(ask).await,
            #[cfg(feature = "postgres")]
            Link::Postgres(link) => link.run(ask).await,
        }
    }

    /// Begins a unit of work with its first statement; see [`Recipe::begins_along`].
    pub(crate) async fn begin_with(
        &mut self,
        begin: &str,
        ask: &Ask,
    ) -> Result<Reply, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Link::Sqlite(link) => link.begin_with(begin, ask).await,
            #[cfg(feature = "postgres")]
            Link::Postgres(link) => {
                link.plain(begin).await?;
                link.run(ask).await
            }
        }
    }

    /// A statement without parameters or rows, such as `COMMIT`.
    pub(crate) async fn plain(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Link::Sqlite(link) => link.plain(sql).await,
            #[cfg(feature = "postgres")]
            Link::Postgres(link) => link.plain(sql).await,
        }
    }

    pub(crate) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Link::Sqlite(link) => link.ping().await,
            #[cfg(feature = "postgres")]
            Link::Postgres(link) => link.ping().await,
        }
    }

    /// Makes a connection usable again whose statement or transaction was abandoned, or gives it up so that nothing of it stays behind.
    pub(crate) async fn reclaim(self, in_flight: bool, recipe: &Recipe) -> Option<Self> {
        match (self, recipe) {
            #[cfg(feature = "sqlite")]
            (Link::Sqlite(link), _) => link.reclaim(in_flight).await.map(Link::Sqlite),
            #[cfg(feature = "postgres")]
            (Link::Postgres(link), Recipe::Postgres(recipe)) => {
                link.reclaim(in_flight, recipe).await.map(Link::Postgres)
            }
            #[cfg(all(feature = "sqlite", feature = "postgres"))]
            (Link::Postgres(_), Recipe::Sqlite(_)) => None,
        }
    }

    pub(crate) async fn close(self) {
        match self {
            #[cfg(feature = "sqlite")]
            Link::Sqlite(link) => link.close().await,
            #[cfg(feature = "postgres")]
            Link::Postgres(link) => link.close().await,
        }
    }
}

/// True when the connection that gave this error is of no use any more.
pub(crate) fn lost(error: &DbErr) -> bool {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => is_dead(error),
        _ => false,
    }
}
