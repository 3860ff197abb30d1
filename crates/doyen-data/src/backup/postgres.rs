//! PostgreSQL: `pg_dump` into an archive that `pg_restore` can list.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr as _;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{BackupError, in_use, not_empty};
use crate::DatabaseOptions;

pub(super) fn backup(options: &DatabaseOptions, part: &Path) -> Result<(), BackupError> {
    let server = Server::of(&options.url);
    let mut dump = server.command("pg_dump");
    dump.args(["--format=custom", "--no-owner", "--no-privileges", "--file"])
        .arg(part)
        .arg("--dbname")
        .arg(&server.url);
    run("pg_dump", &mut dump)?;
    list(part).map(drop)
}

pub(super) async fn restore(
    options: &DatabaseOptions,
    file: &Path,
    replace: bool,
) -> Result<Option<PathBuf>, BackupError> {
    let contents = list(file)?;
    let schema = examine(options, replace).await?;
    let server = Server::of(&options.url);
    // The schema is created here: whether a dump creates `public` depends on who made it.
    let own = format!(" SCHEMA - {schema} ");
    let wanted: Vec<&str> = contents
        .lines()
        .filter(|line| !line.contains(&own))
        .collect();
    let mut script = Command::new("pg_restore")
        .args([
            "--no-owner",
            "--no-privileges",
            "--file=-",
            "--use-list=/dev/stdin",
        ])
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| missing("pg_restore", error))?;
    if let Some(mut list) = script.stdin.take() {
        // It is read to its end before the output begins. A failure shows in the exit status.
        let _ = list.write_all(wanted.join("\n").as_bytes());
    }
    let mut apply = server.command("psql");
    apply
        .args(["--no-psqlrc", "--quiet", "--single-transaction"])
        .args(["--set", "ON_ERROR_STOP=1"])
        .arg("--dbname")
        .arg(&server.url);
    let quoted = schema.replace('"', "\"\"");
    apply.args(["--command", &format!("DROP SCHEMA \"{quoted}\" CASCADE")]);
    apply.args(["--command", &format!("CREATE SCHEMA \"{quoted}\"")]);
    apply.args(["--file", "-"]);
    if let Some(text) = script.stdout.take() {
        apply.stdin(text);
    }
    let applied = run("psql", &mut apply);
    drop(apply);
    let ended = script
        .wait_with_output()
        .map_err(|error| missing("pg_restore", error))?;
    applied?;
    success("pg_restore", &ended)?;
    Ok(None)
}

/// Checks that the database has no other user, and is empty or may be replaced. Returns the
/// schema of its tables.
async fn examine(options: &DatabaseOptions, replace: bool) -> Result<String, BackupError> {
    let failed = |error: sqlx::Error| {
        let url = options.masked_url();
        BackupError::caused_by(format!("cannot read the database `{url}`"), error)
    };
    let connect = PgConnectOptions::from_str(&options.url).map_err(failed)?;
    let connect = connect.disable_statement_logging();
    let mut connection: PgConnection = connect.connect().await.map_err(failed)?;
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()
                  AND backend_type = 'client backend'";
    let others: i64 = sqlx::query_scalar(others)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let tables = "SELECT count(*) FROM pg_class
                  WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    let schema: String = sqlx::query_scalar("SELECT current_schema()::text")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    connection.close().await.map_err(failed)?;
    if tables > 0 && !replace {
        return Err(not_empty());
    }
    if others > 0 {
        return Err(in_use());
    }
    Ok(schema)
}

/// Reads the whole archive, and returns the list of its contents.
fn list(file: &Path) -> Result<String, BackupError> {
    let mut list = Command::new("pg_restore");
    let text = run(
        "pg_restore",
        list.arg("--list").arg(file).stdin(Stdio::null()),
    )?;
    // The list alone is at the beginning: an archive that was cut has it too.
    let mut read = Command::new("pg_restore");
    read.arg("--file=/dev/null").arg(file).stdin(Stdio::null());
    run("pg_restore", &mut read)?;
    if text.contains(" TABLE DATA ") {
        return Ok(text);
    }
    Err(BackupError::new(format!(
        "`{}` has no tables",
        file.display()
    )))
}

/// The server, for the programs of PostgreSQL. The password is not an argument, which other users
/// of the machine could read.
struct Server {
    url: String,
    password: Option<String>,
}

impl Server {
    fn of(url: &str) -> Self {
        // Parameters of the driver, which the programs do not know.
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let query: Vec<&str> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("statement-cache-capacity="))
            .collect();
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let secret = address.split_once("://").and_then(|(scheme, rest)| {
            let (user, host) = rest.rsplit_once('@')?;
            let (name, password) = user.split_once(':')?;
            Some((format!("{scheme}://{name}@{host}"), password))
        });
        match secret {
            Some((address, password)) => Self {
                url: address + &query,
                password: Some(
                    percent_decode_str(password)
                        .decode_utf8_lossy()
                        .into_owned(),
                ),
            },
            None => Self {
                url: address.to_owned() + &query,
                password: None,
            },
        }
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).env(
            "PGOPTIONS",
            "-c lock_timeout=10s -c statement_timeout=0 -c client_min_messages=warning",
        );
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        command
    }
}

/// Runs a program and returns its output.
fn run(name: &str, command: &mut Command) -> Result<String, BackupError> {
    let output = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| missing(name, error))?;
    success(name, &output)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn success(name: &str, output: &std::process::Output) -> Result<(), BackupError> {
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(BackupError::new(format!(
        "`{name}` failed ({}): {}",
        output.status,
        message.trim()
    )))
}

fn missing(name: &str, error: std::io::Error) -> BackupError {
    BackupError::caused_by(
        format!(
            "cannot run `{name}`. Install the client programs of PostgreSQL, at least as new as the server"
        ),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn the_password_is_no_argument() {
        let server = Server::of(
            "postgres://me:s3%23cret@db:5432/shop?sslmode=require&statement-cache-capacity=0",
        );
        assert_eq!(server.url, "postgres://me@db:5432/shop?sslmode=require");
        assert_eq!(server.password.as_deref(), Some("s3#cret"));
        let server = Server::of("postgres://me@/shop?host=/run/postgresql");
        assert_eq!(server.url, "postgres://me@/shop?host=/run/postgresql");
        assert_eq!(server.password, None);
    }
}
