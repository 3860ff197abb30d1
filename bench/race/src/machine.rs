//! Facts about the run: the kind of machine, and the versions of all programs.

use std::collections::BTreeSet;
use std::process::Command;

use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use crate::cases::Store;
use crate::databases::Databases;
use crate::options::Options;
use crate::setup::Tools;

/// Names and values, in the order of the tables.
pub(crate) struct Facts {
    pub(crate) machine: Vec<(String, String)>,
    pub(crate) versions: Vec<(String, String)>,
}

/// Fails with fewer than two cores: the load generator must not use the core of the server.
pub(crate) fn require_two_cores() -> Result {
    if cores()? >= 2 {
        return Ok(());
    }
    Err(Failure::new(
        "the benchmark needs two cores: one for the server, one for the load generator",
    ))
}

pub(crate) fn facts(options: &Options, tools: &Tools, databases: &Databases) -> Result<Facts> {
    let kernel = output(Command::new("uname").arg("-sr"))?;
    let mut machine = vec![
        (
            "date".to_owned(),
            first_line(Command::new("date").args(["-u", "+%Y-%m-%d"]))?,
        ),
        ("architecture".into(), std::env::consts::ARCH.into()),
        ("cores".into(), format!("{}, one for the server", cores()?)),
        ("kernel".into(), tree(&kernel)),
        (
            "rounds".into(),
            format!(
                "{} of {:.1} s",
                options.rounds,
                options.measured.as_secs_f64()
            ),
        ),
    ];
    let mut versions = vec![
        (
            "Rust".to_owned(),
            first_line(Command::new("rustc").arg("--version"))?,
        ),
        ("Doyen".into(), of_doyen(&workspace::read("Cargo.lock")?)?),
        (
            "Rust peers".into(),
            direct(&workspace::read("bench/peers/Cargo.lock")?)?.join(", "),
        ),
    ];
    let packages = tools.python_packages()?;
    if !packages.is_empty() {
        let wanted = workspace::read("bench/peers/fastapi/requirements.txt")?;
        versions.push((
            "Python".into(),
            first_line(Command::new(tools.python()).arg("--version"))?,
        ));
        versions.push((
            "Python peers".into(),
            required(&wanted, &packages).join(", "),
        ));
    }
    if let Some(postgres) = &databases.postgres {
        versions.push(("PostgreSQL".into(), postgres.query("SHOW server_version")?));
        let settings = format!(
            "fsync {}, synchronous_commit {}, {}",
            postgres.query("SHOW fsync")?,
            postgres.query("SHOW synchronous_commit")?,
            if postgres.is_aside() {
                "on the core of the load generator"
            } else {
                "on any core"
            },
        );
        machine.push((Store::Postgres.title().into(), settings));
    }
    // wrk prints its version and exits with status 1.
    let wrk = Command::new("wrk").arg("--version").output()?;
    let wrk = String::from_utf8_lossy(&wrk.stdout).into_owned();
    versions.push((
        "wrk".into(),
        wrk.split_whitespace().nth(1).unwrap_or("?").to_owned(),
    ));
    Ok(Facts { machine, versions })
}

fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

fn first_line(command: &mut Command) -> Result<String> {
    Ok(output(command)?
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}

/// Shortens `Linux 6.18.44-something` to `Linux 6.18`; the rest can identify a machine.
fn tree(kernel: &str) -> String {
    let (name, version) = kernel.trim().split_once(' ').unwrap_or((kernel.trim(), ""));
    let version: Vec<&str> = version.split(['.', '-']).take(2).collect();
    format!("{name} {}", version.join("."))
}

/// Returns the versions of Doyen and of its dependencies that affect the numbers.
fn of_doyen(lock: &str) -> Result<String> {
    const PARTS: [&str; 7] = [
        "doyen",
        "hyper",
        "tokio",
        "serde_json",
        "sqlx",
        "sea-orm",
        "libsqlite3-sys",
    ];
    let locked = packages(lock)?;
    let found = |part: &&str| locked.iter().find(|package| package.name == **part);
    let parts = PARTS
        .iter()
        .filter_map(found)
        .map(|package| format!("{} {}", package.name, package.version));
    Ok(parts.collect::<Vec<_>>().join(", "))
}

/// Returns the direct dependencies of the members of a workspace.
fn direct(lock: &str) -> Result<Vec<String>> {
    let locked = packages(lock)?;
    let wanted: BTreeSet<&str> = locked
        .iter()
        .filter(|package| package.ours)
        .flat_map(|package| &package.needs)
        // The version follows the name if several versions are locked.
        .map(|need| need.split(' ').next().unwrap_or(need))
        .collect();
    let theirs = locked
        .iter()
        .filter(|package| !package.ours && wanted.contains(package.name.as_str()));
    Ok(theirs
        .map(|package| format!("{} {}", package.name, package.version))
        .collect())
}

struct Locked {
    name: String,
    version: String,
    /// True for a member of the workspace.
    ours: bool,
    needs: Vec<String>,
}

fn packages(lock: &str) -> Result<Vec<Locked>> {
    let lock: toml::Table = lock.parse()?;
    let text = |value: Option<&toml::Value>| {
        value
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    let read = |package: &toml::Value| Locked {
        name: text(package.get("name")),
        version: text(package.get("version")),
        ours: package.get("source").is_none(),
        needs: package
            .get("dependencies")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .map(|need| text(Some(need)))
            .collect(),
    };
    Ok(packages.map(read).collect())
}

/// Returns the installed packages that a list of requirements names, as `name version`.
fn required(requirements: &str, installed: &[String]) -> Vec<String> {
    let bare = |line: &str| {
        let name = line
            .split(['=', '[', '<', '>', '~', ' '])
            .next()
            .unwrap_or_default();
        name.to_lowercase().replace('_', "-")
    };
    let wanted: Vec<String> = requirements
        .lines()
        .map(bare)
        .filter(|name| !name.is_empty())
        .collect();
    let named = installed
        .iter()
        .filter(|package| wanted.contains(&bare(package)));
    named
        .map(|package| package.replacen("==", " ", 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_shortened_to_its_series() {
        assert_eq!(tree("Linux 6.18.44-fc-v595\n"), "Linux 6.18");
        assert_eq!(tree("Linux"), "Linux ");
    }

    #[test]
    fn direct_dependencies_of_members() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\"axum\", \"b\", \"rand 0.9.1\"]\n\
                    [[package]]\nname = \"b\"\nversion = \"0.1.0\"\n\
                    [[package]]\nname = \"axum\"\nversion = \"0.8.9\"\nsource = \"registry\"\ndependencies = [\"deep\"]\n\
                    [[package]]\nname = \"deep\"\nversion = \"1.0.0\"\nsource = \"registry\"\n\
                    [[package]]\nname = \"rand\"\nversion = \"0.9.1\"\nsource = \"registry\"\n";
        assert_eq!(direct(lock).unwrap(), ["axum 0.8.9", "rand 0.9.1"]);
    }

    #[test]
    fn packages_that_requirements_name() {
        let installed = [
            "PyJWT==2.15.1".to_owned(),
            "anyio==4.0.0".to_owned(),
            "SQLAlchemy==2.1.9".to_owned(),
        ];
        let list = "# Both.\nSQLAlchemy[asyncio]==2.1.9\n\nPyJWT[crypto]==2.15.1\n";
        assert_eq!(
            required(list, &installed),
            ["PyJWT 2.15.1", "SQLAlchemy 2.1.9"]
        );
    }
}
