//! Running other programs: the command line is part of every error, and nothing is hidden.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::failure::{Context, Failure, Result};
use crate::workspace;

/// `cargo`, at the root of the workspace.
///
/// `cargo xtask` is itself a `cargo run`, which tells us who *we* are in `CARGO_PKG_*` and its kin. A build script further
/// down that watches one of them would be built again each time, so they are taken away.
pub(crate) fn cargo() -> Command {
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

/// Runs it with our own input and output; anything but exit code 0 is a failure.
pub(crate) fn run(command: &mut Command) -> Result {
    let status = command.status().context(|| describe(command))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{}: {status}", describe(command))))
    }
}

/// Runs it and gives back what it printed on standard output; its standard error is shown only when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
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

/// Whether it runs and answers with exit code 0; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first of these programs that stands on the `PATH`.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    names.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| is_program(file))
    })
}

/// The time between two looks at another program.
#[expect(
    clippy::disallowed_methods,
    reason = "this tool serves nobody: it may stop its only thread"
)]
pub(crate) fn pause() {
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
    fn a_failure_names_the_command_line_and_shows_what_it_said() {
        let failure = output(Command::new("sh").args(["-c", "echo heard >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(
            failure.contains("`sh -c")
                && failure.contains("exit status: 3")
                && failure.contains("heard"),
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
