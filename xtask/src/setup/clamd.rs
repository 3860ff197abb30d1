//! clamd: the program alone, without a database. Tests that need a scanner start their own, with
//! one signature.

use std::path::{Path, PathBuf};

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

/// Where Debian puts it, which is not on the `PATH` of every user.
const DEBIAN: &str = "/usr/sbin/clamd";

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(clamd) = installed() {
        return Ok(clamd);
    }
    system::install("clamd", &["clamav-daemon"])?;
    installed().ok_or_else(|| Failure::new("clamd is installed, but `clamd` is not on the PATH"))
}

fn installed() -> Option<PathBuf> {
    let debian = Path::new(DEBIAN);
    find(&["clamd"]).or_else(|| debian.is_file().then(|| debian.to_owned()))
}
