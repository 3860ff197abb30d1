//! Python and the packages of a list, such as `tools/requirements.txt`, in a virtual environment of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{stamp, system};
use crate::failure::{Failure, Result};
use crate::process::{run, succeeds};
use crate::workspace;

const LIST: &str = "tools/requirements.txt";

/// A virtual environment.
pub(crate) struct Venv(PathBuf);

impl Venv {
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

pub(super) fn find_or_install() -> Result<Venv> {
    with_packages(LIST)
}

/// The list names every package, also those that the others bring.
pub(super) fn with_packages(path: &str) -> Result<Venv> {
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
        // `--no-deps` keeps to the list; this says when the list has a hole.
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
