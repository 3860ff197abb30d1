//! The client programs of PostgreSQL, which `backup` and `restore` run.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

const PROGRAM: &str = "pg_dump";

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(path) = find(&[PROGRAM]) {
        return Ok(path);
    }
    system::install("the client programs of PostgreSQL", &["postgresql-client"])?;
    find(&[PROGRAM])
        .ok_or_else(|| Failure::new(format!("{PROGRAM} is installed, but not on the PATH")))
}
