//! Runs other programs. Every error contains the command line.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::workspace;
use crate::{Context, Failure, Result};

/// Returns a `cargo` command that runs at the root of the workspace.
///
/// `cargo run` sets variables such as `CARGO_PKG_NAME` for its own package. They are removed,
/// because a build script that watches one of them would run again each time.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root());
    for (name, _) in env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with the input and output of this process.
///
/// # Errors
///
/// Returns an error if the exit code is not 0.
pub fn run(command: &mut Command) -> Result {
    let status = command.status().context(|| describe(command))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{}: {status}", describe(command))))
    }
}

/// Runs a command and returns its standard output.
///
/// # Errors
///
/// Returns an error with both outputs if the exit code is not 0.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context(|| describe(command))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!(
        "{}: {}\n{}{}",
        describe(command),
        output.status,
        stdout,
        stderr
    )))
}

/// Returns true if the command exits with code 0; discards its output.
pub fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the first of these programs on the `PATH`.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| is_program(file))
    })
}

/// Builds and runs a package of the workspace with these arguments.
///
/// # Errors
///
/// Returns an error if the build fails or the exit code is not 0.
pub fn run_package(package: &str, args: &[String]) -> Result {
    run(cargo()
        .args(["run", "--quiet", "--locked", "--package", package, "--"])
        .args(args))
}

/// Returns a loopback address with a free port.
///
/// # Errors
///
/// Returns an error if no port is free.
pub fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Waits 50 ms, before the state of another program is read again.
#[expect(clippy::disallowed_methods, reason = "the tools serve no requests")]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", line.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_command_line_and_its_output() {
        let failure = output(Command::new("sh").args(["-c", "echo output >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(
            failure.contains("`sh -c")
                && failure.contains("exit status: 3")
                && failure.contains("output"),
            "{failure}"
        );
    }

    #[test]
    fn finds_programs_but_not_folders() {
        assert!(find(&["no-such-program-anywhere", "sh"]).is_some());
        assert!(find(&["no-such-program-anywhere"]).is_none());
        assert!(!is_program(Path::new("/")));
    }
}
