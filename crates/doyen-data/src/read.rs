//! Typed reads beside SeaORM: a statement in, structs out, each made from the driver's own row.
//!
//! Only statements that run on their own come here; inside a unit of work a read runs on the unit's connection, over sqlx. Where a reader
//! can not serve a read it says [`Unread::Elsewhere`], and the read runs over sqlx too: the result is the same either way.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use sea_orm::{DbErr, Value};

#[cfg(feature = "postgres")]
pub(crate) use postgres::{Opener, PostgresReader};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::SqliteReader;

use crate::{PoolStatus, Row};

/// What reads beside the pool.
pub(crate) enum Reader {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteReader),
    #[cfg(feature = "postgres")]
    Postgres(PostgresReader),
}

/// Why a reader gives no rows.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It can not serve this read, now or ever: the pool should. Nothing was run, or what was run may be run again.
    Elsewhere,
    /// The statement failed.
    Failed(DbErr),
}

impl From<DbErr> for Unread {
    fn from(error: DbErr) -> Self {
        Unread::Failed(error)
    }
}

impl Reader {
    /// All rows.
    pub(crate) async fn all<T: Row>(&self, sql: &str, values: &[Value]) -> Result<Vec<T>, Unread> {
        match self {
            #[cfg(feature = "sqlite")]
            Reader::Sqlite(reader) => reader.all(sql, values).await,
            #[cfg(feature = "postgres")]
            Reader::Postgres(reader) => reader.all(sql, values).await,
        }
    }

    /// The first row.
    pub(crate) async fn first<T: Row>(
        &self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<T>, Unread> {
        match self {
            #[cfg(feature = "sqlite")]
            Reader::Sqlite(reader) => reader.first(sql, values).await,
            #[cfg(feature = "postgres")]
            Reader::Postgres(reader) => reader.first(sql, values).await,
        }
    }

    pub(crate) fn size(&self) -> PoolStatus {
        match self {
            #[cfg(feature = "sqlite")]
            Reader::Sqlite(reader) => reader.size(),
            #[cfg(feature = "postgres")]
            Reader::Postgres(reader) => reader.size(),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            #[cfg(feature = "sqlite")]
            Reader::Sqlite(reader) => reader.close().await,
            #[cfg(feature = "postgres")]
            Reader::Postgres(reader) => reader.close().await,
        }
    }
}
