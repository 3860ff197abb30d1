//! Valgrind, whose callgrind counts the instructions of a program.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(valgrind) = find(&["valgrind"]) {
        return Ok(valgrind);
    }
    system::install("Valgrind", &["valgrind"])?;
    find(&["valgrind"]).ok_or_else(|| Failure::new("Valgrind is installed, but not on the PATH"))
}
