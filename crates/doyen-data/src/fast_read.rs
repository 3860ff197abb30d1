//! Typed reads that bypass SeaORM: each struct is read from the row of the driver.
//!
//! Only statements outside of transactions are read here. In a transaction, a read runs on its
//! connection over sqlx. If a reader cannot run a statement, it returns [`ReadError::Fallback`],
//! and the statement runs over sqlx with the same result. A database without its feature for fast
//! reads has no reader, so that all its reads run over sqlx.
#![cfg_attr(
    not(any(feature = "sqlite-fast-reads", feature = "postgres-fast-reads")),
    allow(
        unused_variables,
        dead_code,
        reason = "without a reader there is nothing to read with"
    )
)]

#[cfg(feature = "postgres-fast-reads")]
mod postgres;
#[cfg(feature = "sqlite-fast-reads")]
mod sqlite;

use sea_orm::{DbErr, Value};

#[cfg(feature = "postgres-fast-reads")]
pub(crate) use postgres::{PipelineConnector, PostgresReader};
#[cfg(feature = "sqlite-fast-reads")]
pub(crate) use sqlite::{SqliteReader, ignore_times};

use crate::{PoolStatus, Row};

/// A reader with its own connections.
pub(crate) enum FastReader {
    #[cfg(feature = "sqlite-fast-reads")]
    Sqlite(SqliteReader),
    #[cfg(feature = "postgres-fast-reads")]
    Postgres(PostgresReader),
}

/// Why a reader returns no rows.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The reader cannot run this statement. The caller runs it on the pool; it is safe to repeat.
    Fallback,
    /// The statement failed.
    Failed(DbErr),
}

impl From<DbErr> for ReadError {
    fn from(error: DbErr) -> Self {
        ReadError::Failed(error)
    }
}

impl FastReader {
    /// Returns all rows.
    pub(crate) async fn all<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<T>, ReadError> {
        match *self {
            #[cfg(feature = "sqlite-fast-reads")]
            FastReader::Sqlite(ref reader) => reader.all(sql, values).await,
            #[cfg(feature = "postgres-fast-reads")]
            FastReader::Postgres(ref reader) => reader.all(sql, values).await,
        }
    }

    /// Returns the first row.
    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, ReadError> {
        match *self {
            #[cfg(feature = "sqlite-fast-reads")]
            FastReader::Sqlite(ref reader) => reader.first(sql, values).await,
            #[cfg(feature = "postgres-fast-reads")]
            FastReader::Postgres(ref reader) => reader.first(sql, values).await,
        }
    }

    pub(crate) fn size(&self) -> PoolStatus {
        match *self {
            #[cfg(feature = "sqlite-fast-reads")]
            FastReader::Sqlite(ref reader) => reader.size(),
            #[cfg(feature = "postgres-fast-reads")]
            FastReader::Postgres(ref reader) => reader.size(),
        }
    }

    pub(crate) async fn close(&self) {
        match *self {
            #[cfg(feature = "sqlite-fast-reads")]
            FastReader::Sqlite(ref reader) => reader.close().await,
            #[cfg(feature = "postgres-fast-reads")]
            FastReader::Postgres(ref reader) => reader.close().await,
        }
    }
}
