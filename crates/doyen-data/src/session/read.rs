//! Reads into structs of our own: straight from the driver where that is safe, over sqlx everywhere else.

use std::time::Instant;

use doyen_core::Access;
use sea_orm::{DbErr, Statement, Value};

use super::{Session, not_here, read_only};
use crate::Row;
use crate::link::{Ask, Reply};
use crate::read::{Reader, Unread};
use crate::statement::{Sort, sort};

impl Session {
    /// All rows of a query.
    pub(super) async fn all_rows<T: Row>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<T>, DbErr> {
        let begun = Instant::now();
        let straight = match self.reader(sql) {
            Some(reader) => reader.all(sql, &values).await,
            None => Err(Unread::Elsewhere),
        };
        let result = match straight {
            Err(Unread::Elsewhere) => {
                let answer = self.answer(&Ask::All(self.with_values(sql, values))).await;
                answer.and_then(|reply| match reply {
                    Reply::All(rows) => rows
                        .iter()
                        .map(|row| T::from_query_result(row, ""))
                        .collect(),
                    _ => Err(super::connection::mixed_up()),
                })
            }
            Err(Unread::Failed(error)) => Err(explained(error, sql)),
            Ok(rows) => Ok(rows),
        };
        self.count(sql, begun, result.is_err());
        result
    }

    /// The first row of a query.
    pub(super) async fn first_row<T: Row>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<T>, DbErr> {
        let begun = Instant::now();
        let straight = match self.reader(sql) {
            Some(reader) => reader.first(sql, &values).await,
            None => Err(Unread::Elsewhere),
        };
        let result = match straight {
            Err(Unread::Elsewhere) => {
                let answer = self.answer(&Ask::One(self.with_values(sql, values))).await;
                answer.and_then(|reply| match reply {
                    Reply::One(row) => row.map(|row| T::from_query_result(&row, "")).transpose(),
                    _ => Err(super::connection::mixed_up()),
                })
            }
            Err(Unread::Failed(error)) => Err(explained(error, sql)),
            Ok(row) => Ok(row),
        };
        self.count(sql, begun, result.is_err());
        result
    }

    /// A statement that runs on its own may go past the pool; one that looks like a write is refused in the usual place.
    fn reader(&self, sql: &str) -> Option<&Reader> {
        let alone = self.inner.access == Access::Read && sort(sql) == Sort::Reads;
        if alone {
            self.inner.database.straight()
        } else {
            None
        }
    }

    fn with_values(&self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }
}

fn explained(error: DbErr, sql: &str) -> DbErr {
    if read_only(&error) {
        not_here(sql)
    } else {
        error
    }
}
