//! Finds or installs what the tools need and cargo does not provide.
//!
//! | module | contents |
//! | --- | --- |
//! | [`postgres`] | a PostgreSQL server on which the tests can create databases |
//! | [`python`] | a virtual environment with the packages of a list |
//! | [`stamp`] | a directory that is complete or absent |
//! | [`system`] | the package manager of the system |
//!
//! Each part looks first and installs only what is missing.

pub mod postgres;
pub mod python;
pub mod stamp;
pub mod system;

use std::fs::File;

use crate::{Context, Result, workspace};

/// Waits until no other set-up runs. The lock is released when the file is dropped.
pub fn lock() -> Result<File> {
    let path = workspace::tools()?.join("setup.lock");
    let file = File::create(&path).context(|| format!("opening {}", path.display()))?;
    file.lock()?;
    Ok(file)
}
