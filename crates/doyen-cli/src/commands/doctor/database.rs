//! Checks of the database: reachability, version and settings.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::Finding;
use super::machine::output;
use super::settings::Settings;

/// Maximum time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The oldest version of PostgreSQL that the tests of Doyen run on.
const OLDEST_POSTGRES: u32 = 15;

pub(super) fn check(root: &Path, settings: &Settings) -> Vec<Finding> {
    let url = std::env::var("DATABASE_URL").ok();
    let url = url.or_else(|| settings.get("database.url"));
    let url = url.unwrap_or_else(|| "sqlite://data/app.db".to_owned());
    if let Some(path) = url.strip_prefix("sqlite://") {
        return vec![sqlite(root, path)];
    }
    match Postgres::parse(&url) {
        Some(server) => server.check(settings),
        None => vec![Finding::failed(
            "database",
            "`database.url` begins with neither `sqlite://` nor `postgres://`",
            "write `sqlite://data/app.db` or `postgres://user:password@host/name`",
        )],
    }
}

fn sqlite(root: &Path, path: &str) -> Finding {
    let path = path.split('?').next().unwrap_or(path);
    let file = root.join(path);
    let mut folder = file.parent().unwrap_or(root);
    while !folder.exists() {
        let Some(parent) = folder.parent() else { break };
        folder = parent;
    }
    let probe = folder.join(format!(".doyen-doctor-{}", std::process::id()));
    match std::fs::write(&probe, "") {
        Ok(()) => {
            // An empty file that stays harms nothing.
            let _ = std::fs::remove_file(&probe);
            let state = match file.exists() {
                true => "exists",
                false => "is created at the first start",
            };
            Finding::ok("database", format!("SQLite: {path} {state}"))
        }
        Err(error) => Finding::failed(
            "database",
            format!("SQLite: {} cannot be written: {error}", folder.display()),
            "give the user of the service write access to the folder",
        ),
    }
}

/// The parts of a URL.
struct Postgres<'a> {
    user: &'a str,
    password: Option<String>,
    host: &'a str,
    port: u16,
    name: &'a str,
}

impl<'a> Postgres<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let rest = url.strip_prefix("postgres://");
        let rest = rest.or_else(|| url.strip_prefix("postgresql://"))?;
        let rest = rest.split('?').next()?;
        let (place, name) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, server) = place.rsplit_once('@').unwrap_or(("postgres", place));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password))),
            None => (login, None),
        };
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (server, 5432),
        };
        Some(Self {
            user,
            password,
            host,
            port,
            name: if name.is_empty() { user } else { name },
        })
    }

    fn check(&self, settings: &Settings) -> Vec<Finding> {
        let place = format!("{}:{}/{}", self.host, self.port, self.name);
        if let Err(error) = self.connect() {
            return vec![Finding::failed(
                "database",
                format!("PostgreSQL at {place} is not reachable: {error}"),
                "start the server, or correct DATABASE_URL",
            )];
        }
        let Some(values) = self.settings() else {
            return vec![Finding::warning(
                "database",
                format!("PostgreSQL at {place} accepts connections; its version was not read"),
                "install `psql` and check that the user may log in: `cargo run -- migrate status`",
            )];
        };
        let mut findings = vec![version(&place, &values[0])];
        let pool: u64 = number(settings.get("database.max_connections")).unwrap_or(10);
        let allowed: u64 = number(Some(values[1].clone())).unwrap_or(0);
        if pool + 5 > allowed {
            findings.push(Finding::warning(
                "database",
                format!(
                    "the server allows {allowed} connections; one node uses up to {}",
                    pool + 5
                ),
                "lower `database.max_connections`, or raise `max_connections` of the server",
            ));
        }
        if values[2] == "off" {
            findings.push(Finding::warning(
                "database",
                "`fsync` is off: a power failure can destroy the database",
                "turn it on, except on a server for tests",
            ));
        }
        if values[3] != "UTF8" {
            findings.push(Finding::failed(
                "database",
                format!("the encoding is {}", values[3]),
                format!(
                    "create the database again: `CREATE DATABASE {} ENCODING 'UTF8'`",
                    self.name
                ),
            ));
        }
        findings
    }

    fn connect(&self) -> std::io::Result<()> {
        let mut last = std::io::Error::other("the host has no address");
        for address in (self.host, self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(_) => return Ok(()),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Version, maximum connections, `fsync` and encoding. `psql` reads them, if it is installed.
    fn settings(&self) -> Option<Vec<String>> {
        let query = "SELECT current_setting('server_version'), current_setting('max_connections'), current_setting('fsync'), current_setting('server_encoding')";
        let mut psql = Command::new("psql");
        // Not on the command line, which other users of the machine can read.
        psql.args(["--no-psqlrc", "--no-password", "-AtF", "|", "-c", query])
            .env("PGHOST", self.host)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", self.user)
            .env("PGDATABASE", self.name)
            .env("PGCONNECT_TIMEOUT", "3");
        if let Some(password) = &self.password {
            psql.env("PGPASSWORD", password);
        }
        let values: Vec<String> = output(&mut psql)?.split('|').map(str::to_owned).collect();
        (values.len() == 4).then_some(values)
    }
}

fn decoded(text: &str) -> String {
    let bytes = percent_encoding::percent_decode_str(text);
    bytes.decode_utf8_lossy().into_owned()
}

fn version(place: &str, version: &str) -> Finding {
    let major: u32 = version
        .split(['.', ' '])
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or(0);
    if major < OLDEST_POSTGRES {
        return Finding::warning(
            "database",
            format!(
                "PostgreSQL {version} at {place} is older than {OLDEST_POSTGRES}, which is tested"
            ),
            "upgrade the server",
        );
    }
    Finding::ok("database", format!("PostgreSQL {version} at {place}"))
}

fn number(text: Option<String>) -> Option<u64> {
    text?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_parts_and_defaults() {
        let url =
            Postgres::parse("postgres://ann:s%40cret@db.example.com:6432/shop?sslmode=require");
        let url = url.unwrap();
        assert_eq!((url.user, url.password.as_deref()), ("ann", Some("s@cret")));
        assert_eq!(
            (url.host, url.port, url.name),
            ("db.example.com", 6432, "shop")
        );
        let short = Postgres::parse("postgres://ann@localhost").unwrap();
        assert_eq!((short.port, short.name), (5432, "ann"));
        assert!(Postgres::parse("mysql://localhost").is_none());
    }
}
