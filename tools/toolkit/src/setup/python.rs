//! A virtual environment of Python with the packages of a list, such as `tools/requirements.txt`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{stamp, system};
use crate::process::{run, succeeds};
use crate::workspace;
use crate::{Failure, Result};

/// A virtual environment.
pub struct Venv(PathBuf);

impl Venv {
    /// Returns the folder of the environment.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Returns the path of a program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// Finds or creates the environment for a list, which must include indirect dependencies.
///
/// # Errors
///
/// Returns an error if Python is missing or too old, or if the installation fails.
pub fn with_packages(path: &str) -> Result<Venv> {
    if !can_make_environments() {
        system::install("Python with venv", &["python3", "python3-venv"])?;
    }
    if !can_make_environments() {
        return Err(Failure::new(
            "python3 is older than 3.11 or has no `venv` module: install Python 3.11 or newer with venv and pip",
        ));
    }
    let list = workspace::read(path)?;
    let folder = stamp::folder("python", &[&list], |folder| {
        println!("installing the Python packages of {path}");
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--requirement",
        ];
        run(Command::new(folder.join("bin/python"))
            .args(install)
            .arg(workspace::root().join(path)))?;
        // `--no-deps` installs only the list; this check fails if the list is incomplete.
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "check", "--quiet"])
            .stdout(std::process::Stdio::null()))
    })?;
    Ok(Venv(folder))
}

fn can_make_environments() -> bool {
    succeeds(Command::new("python3").args([
        "-c",
        "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))",
    ]))
}
