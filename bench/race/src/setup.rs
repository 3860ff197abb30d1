//! Finds or installs what a run needs: the load generator, PostgreSQL with its client, and FastAPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::Result;
use toolkit::process::{find, output};
use toolkit::setup::{lock, postgres, python, system};

const FASTAPI: &str = "bench/peers/fastapi/requirements.txt";

/// The installed tools.
pub(crate) struct Tools {
    /// URL of a PostgreSQL server, if a case needs one.
    pub(crate) postgres: Option<String>,
    python: Option<python::Venv>,
}

/// Finds or installs the tools; PostgreSQL and FastAPI only on request.
pub(crate) fn prepare(postgres: bool, python: bool) -> Result<Tools> {
    let _lock = lock()?;
    if find(&["wrk"]).is_none() {
        system::install("wrk, the load generator", &["wrk"])?;
    }
    if find(&["taskset"]).is_none() {
        system::install("taskset", &["util-linux"])?;
    }
    let postgres = if postgres {
        let server = postgres::find_or_start()?;
        if find(&["psql"]).is_none() {
            system::install("the client of PostgreSQL", &["postgresql-client"])?;
        }
        Some(server.url)
    } else {
        None
    };
    if !python && find(&["python3"]).is_none() {
        // The SQLite databases are filled with the module `sqlite3`.
        system::install("Python", &["python3"])?;
    }
    let python = if python {
        Some(python::with_packages(FASTAPI)?)
    } else {
        None
    };
    Ok(Tools { postgres, python })
}

impl Tools {
    /// Returns the Python of FastAPI, or the one of the system.
    pub(crate) fn python(&self) -> PathBuf {
        let own = self.python.as_ref().map(|venv| venv.program("python"));
        own.unwrap_or_else(|| Path::new("python3").to_path_buf())
    }

    /// Returns the installed packages of FastAPI as `name==version`, sorted.
    pub(crate) fn python_packages(&self) -> Result<Vec<String>> {
        if self.python.is_none() {
            return Ok(Vec::new());
        }
        let args = ["-m", "pip", "freeze", "--disable-pip-version-check"];
        let list = output(Command::new(self.python()).args(args))?;
        Ok(list.lines().map(str::to_owned).collect())
    }
}
