//! An error of the database together with the statement that caused it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::{DatabaseError, ErrorKind};

/// Maximum length of a statement in a message, in characters.
const MAX_SQL: usize = 500;

/// It displays the message of the database and the statement. The position that PostgreSQL's own
/// error displays is one in the source of PostgreSQL.
#[derive(Debug)]
struct StatementError {
    error: Box<dyn DatabaseError>,
    sql: String,
}

/// Adds the statement to an error that the database reported. Values are parameters and do not
/// appear.
pub(crate) fn with_sql(error: sqlx::Error, sql: &str) -> sqlx::Error {
    match error {
        sqlx::Error::Database(error) => {
            let words: Vec<&str> = sql.split_whitespace().collect();
            let mut sql = words.join(" ");
            if let Some((end, _)) = sql.char_indices().nth(MAX_SQL) {
                sql.truncate(end);
                sql.push('…');
            }
            sqlx::Error::Database(Box::new(StatementError { error, sql }))
        }
        error => error,
    }
}

/// Adds the statement to the error of a fast read.
pub(crate) fn read_with_sql(error: DbErr, sql: &str) -> DbErr {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(error)) => {
            let error = match Arc::try_unwrap(error) {
                Ok(error) => Arc::new(with_sql(error, sql)),
                Err(shared) => shared,
            };
            DbErr::Query(RuntimeErr::SqlxError(error))
        }
        error => error,
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.error.message())?;
        if self.sql.is_empty() {
            return Ok(());
        }
        write!(f, " (in `{}`)", self.sql)
    }
}

impl Error for StatementError {}

// What the error of the driver says counts, also for code that looks for its type.
impl DatabaseError for StatementError {
    fn message(&self) -> &str {
        self.error.message()
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.error.code()
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.error.as_error()
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self.error.as_error_mut()
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self.error.into_error()
    }

    fn is_transient_in_connect_phase(&self) -> bool {
        self.error.is_transient_in_connect_phase()
    }

    fn constraint(&self) -> Option<&str> {
        self.error.constraint()
    }

    fn table(&self) -> Option<&str> {
        self.error.table()
    }

    fn kind(&self) -> ErrorKind {
        self.error.kind()
    }
}
