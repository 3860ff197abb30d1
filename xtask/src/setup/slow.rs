//! slowhttptest, which simulates slow clients of all usual kinds.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(slow) = find(&["slowhttptest"]) {
        return Ok(slow);
    }
    system::install("slowhttptest", &["slowhttptest"])?;
    find(&["slowhttptest"])
        .ok_or_else(|| Failure::new("slowhttptest is installed, but not on the PATH"))
}
