//! curl, which replays the sessions in the READMEs of the examples.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(curl) = find(&["curl"]) {
        return Ok(curl);
    }
    system::install("curl", &["curl"])?;
    find(&["curl"]).ok_or_else(|| Failure::new("curl is installed, but not on the PATH"))
}
