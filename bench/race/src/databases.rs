//! The databases. Each run creates and fills them again, always with the same rows.
//!
//! On PostgreSQL all servers use one database, one after the other. On SQLite each server gets a
//! copy of one file, because the library that writes it is part of the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::process::{output, run, succeeds};
use toolkit::{Context, Failure, Result, workspace};

use crate::cases::Store;
use crate::load;
use crate::rows::{self, TICKETS};
use crate::setup::Tools;
use crate::usage::ProcessTree;

const SCHEMA: &str = "bench/schema.sql";
const NAME: &str = "doyen_bench";

/// The databases of a run.
pub(crate) struct Databases {
    pub(crate) postgres: Option<Postgres>,
    sqlite: Option<PathBuf>,
}

pub(crate) fn prepare(stores: &[Store], tools: &Tools, folder: &Path) -> Result<Databases> {
    let file = folder.join("rows.sql");
    fs::write(&file, rows::sql()).context(|| format!("writing {}", file.display()))?;
    let sql = [workspace::root().join(SCHEMA), file];
    let mut databases = Databases {
        postgres: None,
        sqlite: None,
    };
    if let Some(server) = &tools.postgres {
        println!("filling PostgreSQL");
        databases.postgres = Some(Postgres::make(server, &sql)?);
    }
    if stores.contains(&Store::Sqlite) {
        println!("filling SQLite");
        databases.sqlite = Some(make_sqlite(tools, folder, &sql)?);
    }
    Ok(databases)
}

impl Databases {
    /// Returns `DATABASE_URL` for a server; `own` is the path of its own file.
    pub(crate) fn url(&self, store: Store, own: &Path) -> Result<Option<String>> {
        match store {
            Store::None => Ok(None),
            Store::Postgres => Ok(self.postgres.as_ref().map(|postgres| postgres.url.clone())),
            Store::Sqlite => {
                let file = self
                    .sqlite
                    .as_ref()
                    .ok_or_else(|| Failure::new("SQLite was not filled"))?;
                for leftover in ["db-wal", "db-shm"] {
                    let _ = fs::remove_file(own.with_extension(leftover));
                }
                fs::copy(file, own).context(|| format!("copying {}", file.display()))?;
                Ok(Some(format!("sqlite://{}", own.display())))
            }
        }
    }

    /// Deletes inserted rows and vacuums, so that each server finds the same tables. A SQLite file
    /// needs no reset, because it belongs to one server.
    pub(crate) fn reset(&self, store: Store) -> Result {
        match (&self.postgres, store) {
            (Some(postgres), Store::Postgres) => postgres.reset(),
            _ => Ok(()),
        }
    }
}

/// A database on a PostgreSQL server.
pub(crate) struct Postgres {
    url: String,
    /// The first process of the server and its previous cores, if it was moved.
    moved: Option<(u32, String)>,
}

impl Postgres {
    fn make(server: &str, sql: &[PathBuf]) -> Result<Self> {
        let remove = format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)");
        run(psql(server).args(["-c", &remove, "-c", &format!("CREATE DATABASE {NAME}")]))?;
        let url = with_database(server, NAME)
            .ok_or_else(|| Failure::new("the URL of PostgreSQL names no host"))?;
        for file in sql {
            run(psql(&url).arg("-f").arg(file))?;
        }
        let mut postgres = Self { url, moved: None };
        // Autovacuum could run during a measurement.
        run(psql(&postgres.url).args(["-c", "ALTER TABLE tickets SET (autovacuum_enabled = off)"]))?;
        run(psql(&postgres.url).args(["-c", "VACUUM ANALYZE"]))?;
        postgres.reset()?;
        postgres.move_aside()?;
        Ok(postgres)
    }

    fn reset(&self) -> Result {
        let remove = format!("DELETE FROM tickets WHERE id > {TICKETS}");
        let number = format!("SELECT setval(pg_get_serial_sequence('tickets', 'id'), {TICKETS})");
        output(psql(&self.url).args(["-c", &remove, "-c", &number, "-c", "VACUUM tickets"]))?;
        // Only a superuser may run a checkpoint; otherwise the server does it later.
        succeeds(psql(&self.url).args(["-c", "CHECKPOINT"]));
        Ok(())
    }

    /// Moves PostgreSQL to the core of the load generator, if it runs on this machine and this is
    /// permitted. Processes that it starts for its clients inherit the core.
    fn move_aside(&mut self) -> Result {
        let here = || -> Result<(u32, String)> {
            let first: u32 = self
                .query("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")?
                .parse()?;
            let command = fs::read_to_string(format!("/proc/{first}/comm"))?;
            if !command.starts_with("postgres") {
                return Err(Failure::new("it runs on another machine"));
            }
            let now = output(Command::new("taskset").args(["-cp", &first.to_string()]))?;
            let cores = now
                .rsplit(": ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            move_to(first, &load::CORE.to_string())?;
            Ok((first, cores))
        };
        match here() {
            Ok(moved) => self.moved = Some(moved),
            Err(failure) => println!("PostgreSQL keeps its cores: {failure}"),
        }
        Ok(())
    }

    pub(crate) fn is_aside(&self) -> bool {
        self.moved.is_some()
    }

    /// Returns the single value of a query.
    pub(crate) fn query(&self, sql: &str) -> Result<String> {
        Ok(output(psql(&self.url).args(["-At", "-c", sql]))?
            .trim()
            .to_owned())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some((first, cores)) = &self.moved {
            let _ = move_to(*first, cores);
        }
    }
}

/// Moves a process, its threads and its descendants to a core.
fn move_to(pid: u32, cores: &str) -> Result {
    for member in ProcessTree::of(pid)?.members() {
        let moved = output(Command::new("taskset").args(["-acp", cores, &member.to_string()]));
        // A child may have exited; moving the first process must succeed.
        if *member == pid {
            moved?;
        }
    }
    Ok(())
}

fn psql(url: &str) -> Command {
    let mut command = Command::new("psql");
    command
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", url])
        .env("PGOPTIONS", "-c client_min_messages=warning");
    command
}

/// Replaces the database in a URL. Disables TLS unless the URL sets `sslmode`: it is useless on
/// loopback, and not every driver would use it by default.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (place, query) = rest
        .split_once('?')
        .map_or((rest, None), |(place, query)| (place, Some(query)));
    let host = place.split('/').next().filter(|host| !host.is_empty())?;
    let mut query: Vec<&str> = query.into_iter().flat_map(|text| text.split('&')).collect();
    if !query.iter().any(|word| word.starts_with("sslmode=")) {
        query.push("sslmode=disable");
    }
    Some(format!("{scheme}://{host}/{name}?{}", query.join("&")))
}

fn make_sqlite(tools: &Tools, folder: &Path, sql: &[PathBuf]) -> Result<PathBuf> {
    const FILL: &str = "import sqlite3, sys\n\
                        base = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                        base.execute('PRAGMA journal_mode = wal')\n\
                        for path in sys.argv[2:]:\n    base.executescript(open(path, encoding='utf-8').read())\n\
                        base.execute('ANALYZE')\n\
                        base.close()\n";
    let file = folder.join("sqlite.db");
    for name in ["sqlite.db", "sqlite.db-wal", "sqlite.db-shm"] {
        let _ = fs::remove_file(folder.join(name));
    }
    run(Command::new(tools.python())
        .args(["-c", FILL])
        .arg(&file)
        .args(sql))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        let to = |url| with_database(url, "b").unwrap();
        assert_eq!(
            to("postgres://me@h:1/a"),
            "postgres://me@h:1/b?sslmode=disable"
        );
        assert_eq!(to("postgres://h?a=b"), "postgres://h/b?a=b&sslmode=disable");
        assert_eq!(
            to("postgres://h/a?sslmode=require"),
            "postgres://h/b?sslmode=require"
        );
    }
}
