//! Errors of the drivers for fast reads, in the form of sqlx errors.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::{DatabaseError, ErrorKind};

/// An error that the database reported through a driver other than sqlx.
#[derive(Debug)]
struct DriverError {
    message: String,
    code: String,
}

/// Creates an error that the database reported. The code is an SQLSTATE, or the extended result
/// code of SQLite.
pub(crate) fn database_error(message: impl Into<String>, code: impl Into<String>) -> DbErr {
    query_error(sqlx::Error::Database(Box::new(DriverError {
        message: message.into(),
        code: code.into(),
    })))
}

/// Creates an error for a connection that failed or timed out.
pub(crate) fn io_error(error: std::io::Error) -> DbErr {
    query_error(sqlx::Error::Io(error))
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for DriverError {}

impl DatabaseError for DriverError {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.code))
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    // A read violates no constraint.
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
