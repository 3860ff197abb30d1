//! The program `nats-server`. Tests that need a server start their own.

use std::path::{Path, PathBuf};

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

/// Where Debian puts it, which is not on the `PATH` of every user.
const DEBIAN: &str = "/usr/sbin/nats-server";

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(nats) = installed() {
        return Ok(nats);
    }
    system::install("NATS", &["nats-server"])?;
    installed()
        .ok_or_else(|| Failure::new("NATS is installed, but `nats-server` is not on the PATH"))
}

fn installed() -> Option<PathBuf> {
    let debian = Path::new(DEBIAN);
    find(&["nats-server"]).or_else(|| debian.is_file().then(|| debian.to_owned()))
}
