//! The `sqlite3` of the system, which must be able to read the files of the helpdesk.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(sqlite) = find(&["sqlite3"]) {
        return Ok(sqlite);
    }
    system::install("sqlite3", &["sqlite3"])?;
    find(&["sqlite3"]).ok_or_else(|| Failure::new("sqlite3 is installed, but not on the PATH"))
}
