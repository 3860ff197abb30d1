//! An error of SQLite, and what it means for the read and for its connection.

use rusqlite::ffi;
use sea_orm::DbErr;

use crate::error::reported;

pub(super) struct Fault {
    /// The extended result code.
    code: i32,
    message: String,
}

impl Fault {
    /// Nothing when the error is not SQLite's but the driver's.
    pub(super) fn of(error: rusqlite::Error) -> Option<Self> {
        let rusqlite::Error::SqliteFailure(error, message) = error else {
            return None;
        };
        let code = error.extended_code;
        let message = message.unwrap_or_else(|| ffi::code_to_str(code).to_owned());
        Some(Self { code, message })
    }

    /// The result code without its extension.
    fn primary(&self) -> i32 {
        self.code & 0xff
    }

    pub(super) fn is_interrupt(&self) -> bool {
        self.primary() == ffi::SQLITE_INTERRUPT
    }

    /// Somebody else holds a lock: it passes.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.primary(), ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED)
    }

    /// The file or the memory is not what it was: the connection should not be used again.
    pub(super) fn is_serious(&self) -> bool {
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

impl From<Fault> for DbErr {
    fn from(fault: Fault) -> Self {
        reported(fault.message, fault.code.to_string())
    }
}
