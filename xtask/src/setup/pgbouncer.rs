//! PgBouncer: the program alone. Tests that need one start their own.

use std::path::{Path, PathBuf};

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

/// Where Debian puts it, which is not on the `PATH` of every user.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(pgbouncer) = installed() {
        return Ok(pgbouncer);
    }
    system::install("PgBouncer", &["pgbouncer"])?;
    installed()
        .ok_or_else(|| Failure::new("PgBouncer is installed, but `pgbouncer` is not on the PATH"))
}

fn installed() -> Option<PathBuf> {
    let debian = Path::new(DEBIAN);
    find(&["pgbouncer"]).or_else(|| debian.is_file().then(|| debian.to_owned()))
}
