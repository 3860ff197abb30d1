//! An error of SQLite, and what it means for the read and its connection.

use rusqlite::ffi;
use sea_orm::DbErr;

use crate::error::database_error;

pub(super) struct SqliteError {
    /// The extended result code.
    code: i32,
    message: String,
}

impl SqliteError {
    /// Returns `None` if the error is one of the driver, not of SQLite.
    pub(super) fn of(error: rusqlite::Error) -> Option<Self> {
        let rusqlite::Error::SqliteFailure(error, message) = error else {
            return None;
        };
        let code = error.extended_code;
        let message = message.unwrap_or_else(|| ffi::code_to_str(code).to_owned());
        Some(Self { code, message })
    }

    /// Returns the primary result code.
    fn primary(&self) -> i32 {
        self.code & 0xff
    }

    pub(super) fn is_interrupt(&self) -> bool {
        self.primary() == ffi::SQLITE_INTERRUPT
    }

    /// Returns true if another connection holds a lock.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.primary(), ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
    }

    /// Returns true if the connection must not be used again.
    pub(super) fn is_connection_error(&self) -> bool {
        matches!(
            self.primary(),
            ffi::SQLITE_NOMEM
                | ffi::SQLITE_IOERR
                | ffi::SQLITE_CORRUPT
                | ffi::SQLITE_CANTOPEN
                | ffi::SQLITE_NOTADB
        )
    }
}

impl From<SqliteError> for DbErr {
    fn from(error: SqliteError) -> Self {
        database_error(error.message, error.code.to_string())
    }
}
