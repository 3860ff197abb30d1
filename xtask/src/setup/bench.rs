//! What `cargo xtask bench` needs beside the builds: the load generator, PostgreSQL with its client, and FastAPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{postgres, python, system};
use crate::failure::Result;
use crate::process::{find, output};

const FASTAPI: &str = "bench/peers/fastapi/requirements.txt";

/// Where it is.
pub(crate) struct Tools {
    /// A server, when one was asked for; with a database that others must not touch.
    pub(crate) postgres: Option<String>,
    python: Option<python::Venv>,
}

pub(crate) fn prepare(postgres: bool, python: bool) -> Result<Tools> {
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
        // Its module for SQLite fills the files.
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
    /// The Python that FastAPI runs in, else the one of the system.
    pub(crate) fn python(&self) -> PathBuf {
        let own = self.python.as_ref().map(|venv| venv.program("python"));
        own.unwrap_or_else(|| Path::new("python3").to_path_buf())
    }

    /// `name==version`, sorted, of all that FastAPI runs with.
    pub(crate) fn python_packages(&self) -> Result<Vec<String>> {
        if self.python.is_none() {
            return Ok(Vec::new());
        }
        let args = ["-m", "pip", "freeze", "--disable-pip-version-check"];
        let list = output(Command::new(self.python()).args(args))?;
        Ok(list.lines().map(str::to_owned).collect())
    }
}
