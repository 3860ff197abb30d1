//! `doyen dev`: runs the application, and builds and restarts it after each change.
//!
//! This process opens the address and passes it on (`LISTEN_FDS`), so that no connection is refused
//! while the application restarts.

#[cfg(unix)]
mod build;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod sources;
#[cfg(unix)]
mod work;

use crate::args::Dev;
use crate::failure::{Failure, Result};
use crate::project::Project;

#[cfg(unix)]
pub(super) fn run(args: &Dev) -> Result {
    let project = Project::find()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("the async runtime cannot start: {error}")))?;
    runtime.block_on(work::work(args, &project))
}

#[cfg(not(unix))]
pub(super) fn run(_: &Dev) -> Result {
    let _ = Project::find()?;
    Err(
        Failure::new("`doyen dev` passes its address on as only Unix systems can")
            .help("use `cargo run`, or the Windows Subsystem for Linux"),
    )
}
