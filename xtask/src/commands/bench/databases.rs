//! The data of the race: made and filled anew by each run, always with the same rows.
//!
//! On PostgreSQL one database serves all, one after the other. With SQLite each server gets a copy of one file, because the
//! library that writes it is part of the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Family;
use super::cases::Store;
use super::load;
use super::rows::{self, TICKETS};
use crate::failure::{Context, Failure, Result};
use crate::process::{output, run, succeeds};
use crate::setup::BenchTools;
use crate::workspace;

const SCHEMA: &str = "bench/schema.sql";
const NAME: &str = "doyen_bench";

/// Where the data lies.
pub(super) struct Databases {
    pub(super) postgres: Option<Postgres>,
    sqlite: Option<PathBuf>,
}

pub(super) fn prepare(stores: &[Store], tools: &BenchTools, folder: &Path) -> Result<Databases> {
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
    /// `DATABASE_URL` for a server; `own` is where it may have a file of its own.
    pub(super) fn url(&self, store: Store, own: &Path) -> Result<Option<String>> {
        match store {
            Store::Nowhere => Ok(None),
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

    /// Takes away what was inserted and tidies up, so that each server finds the same tables. A SQLite file is the server's
    /// own and new.
    pub(super) fn reset(&self, store: Store) -> Result {
        match (&self.postgres, store) {
            (Some(postgres), Store::Postgres) => postgres.reset(),
            _ => Ok(()),
        }
    }
}

/// A database on a PostgreSQL server.
pub(super) struct Postgres {
    url: String,
    /// The server's first process and the cores it was on, if we moved it.
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
        // It would come at times of its own, in the middle of somebody's measurement.
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
        // Only a superuser may; else it happens when the server likes.
        succeeds(psql(&self.url).args(["-c", "CHECKPOINT"]));
        Ok(())
    }

    /// Puts the server on the core of the load, away from the contestants, where it runs here and we may. It inherits to the
    /// processes that it starts for its clients.
    fn move_aside(&mut self) -> Result {
        let here = || -> Result<(u32, String)> {
            let first: u32 = self
                .ask("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)")?
                .parse()?;
            let command = fs::read_to_string(format!("/proc/{first}/comm"))?;
            if !command.starts_with("postgres") {
                return Err(Failure::new("it runs elsewhere"));
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
            Err(failure) => println!("PostgreSQL stays on the cores it has: {failure}"),
        }
        Ok(())
    }

    pub(super) fn is_aside(&self) -> bool {
        self.moved.is_some()
    }

    /// The one value that a statement gives.
    pub(super) fn ask(&self, sql: &str) -> Result<String> {
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

/// Moves a process, its threads and its children.
fn move_to(pid: u32, cores: &str) -> Result {
    for member in Family::of(pid)?.members() {
        let moved = output(Command::new("taskset").args(["-acp", cores, &member.to_string()]));
        // A child may have ended meanwhile; the first must obey.
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

/// The same server, another database, and no TLS where nothing else is said: on loopback it protects nothing, and not every driver would take
/// it by itself.
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

fn make_sqlite(tools: &BenchTools, folder: &Path, sql: &[PathBuf]) -> Result<PathBuf> {
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
    fn another_database_on_the_same_server() {
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
