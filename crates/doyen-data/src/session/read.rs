//! Typed reads: from the driver where possible, else over sqlx.

use std::mem::take;
use std::time::Instant;

use doyen_core::Access;
use sea_orm::{DbErr, Statement, Value};

use super::{Session, is_read_only_error, write_rejected};
use crate::Row;
use crate::connection::{Outcome, SqlStatement};
use crate::fast_read::{FastReader, ReadError};
use crate::row::read_pooled;
use crate::statement::{StatementKind, classify};

impl Session {
    /// Returns all rows of a query.
    pub(super) async fn all_rows<T: Row>(
        &self,
        sql: &str,
        mut values: Vec<Value>,
    ) -> Result<Vec<T>, DbErr> {
        let started = Instant::now();
        let mut pooled = None;
        let fast = match self.fast_reader(sql) {
            Some(reader) => reader.all(sql, &values).await,
            None => Err(ReadError::Fallback),
        };
        let result = match fast {
            Err(ReadError::Fallback) => {
                let statement = SqlStatement::FetchAll(self.with_values(sql, take(&mut values)));
                let outcome = self.run_uncounted(&statement).await;
                pooled = Some(statement);
                outcome.and_then(|outcome| match outcome {
                    Outcome::Rows(rows) => rows.iter().map(read_pooled).collect(),
                    _ => Err(super::seaorm::unexpected_outcome()),
                })
            }
            Err(ReadError::Failed(error)) => Err(map_read_only(error, sql)),
            Ok(rows) => Ok(rows),
        };
        let rows = result.as_ref().ok().map(Vec::len);
        let values = pooled.as_ref().map_or(&*values, SqlStatement::values);
        self.count((sql, values), started, rows, result.as_ref().err());
        result
    }

    /// Returns the first row of a query.
    pub(super) async fn first_row<T: Row>(
        &self,
        sql: &str,
        mut values: Vec<Value>,
    ) -> Result<Option<T>, DbErr> {
        let started = Instant::now();
        let mut pooled = None;
        let fast = match self.fast_reader(sql) {
            Some(reader) => reader.first(sql, &values).await,
            None => Err(ReadError::Fallback),
        };
        let result = match fast {
            Err(ReadError::Fallback) => {
                let statement = SqlStatement::FetchOne(self.with_values(sql, take(&mut values)));
                let outcome = self.run_uncounted(&statement).await;
                pooled = Some(statement);
                outcome.and_then(|outcome| match outcome {
                    Outcome::Row(row) => row.map(|row| read_pooled(&row)).transpose(),
                    _ => Err(super::seaorm::unexpected_outcome()),
                })
            }
            Err(ReadError::Failed(error)) => Err(map_read_only(error, sql)),
            Ok(row) => Ok(row),
        };
        let values = pooled.as_ref().map_or(&*values, SqlStatement::values);
        self.count((sql, values), started, None, result.as_ref().err());
        result
    }

    /// Returns the fast reader for reads outside of a transaction.
    fn fast_reader(&self, sql: &str) -> Option<&FastReader> {
        let standalone = self.inner.access == Access::Read && classify(sql) == StatementKind::Read;
        if standalone {
            self.inner.database.fast_reader()
        } else {
            None
        }
    }

    fn with_values(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }
}

fn map_read_only(error: DbErr, sql: &str) -> DbErr {
    if is_read_only_error(&error) {
        write_rejected(sql)
    } else {
        crate::error::read_with_sql(error, sql)
    }
}
