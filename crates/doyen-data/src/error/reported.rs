//! What a reader's driver reports, in the shape that the rest reads errors in.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::error::{DatabaseError, ErrorKind};

/// An error that the database reported over a driver other than sqlx's.
#[derive(Debug)]
struct Reported {
    message: String,
    code: String,
}

/// A refusal by the database: its words, and its code: an SQLSTATE, or SQLite's extended result code as a number.
pub(crate) fn reported(message: impl Into<String>, code: impl Into<String>) -> DbErr {
    wrapped(sqlx::Error::Database(Box::new(Reported {
        message: message.into(),
        code: code.into(),
    })))
}

/// A connection that failed under a read, or did not answer in time.
pub(crate) fn broken(error: std::io::Error) -> DbErr {
    wrapped(sqlx::Error::Io(error))
}

fn wrapped(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Reported {}

impl DatabaseError for Reported {
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

    // A read breaks no constraint.
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
