//! The program `redis-server`. Tests that need a server start their own.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

pub(super) fn find_or_install() -> Result<PathBuf> {
    if let Some(redis) = find(&["redis-server"]) {
        return Ok(redis);
    }
    system::install("Redis", &["redis-server"])?;
    find(&["redis-server"])
        .ok_or_else(|| Failure::new("Redis is installed, but `redis-server` is not on the PATH"))
}
