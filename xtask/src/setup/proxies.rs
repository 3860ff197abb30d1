//! nginx and HAProxy, behind which the helpdesk is restarted.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

const NAMES: [&str; 2] = ["nginx", "haproxy"];

pub(super) fn find_or_install() -> Result<Vec<PathBuf>> {
    let paths = NAMES.map(|name| {
        if let Some(path) = find(&[name]) {
            return Ok(path);
        }
        system::install(name, &[name])?;
        find(&[name])
            .ok_or_else(|| Failure::new(format!("{name} is installed, but not on the PATH")))
    });
    paths.into_iter().collect()
}
