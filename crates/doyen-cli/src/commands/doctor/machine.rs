//! Checks of the machine: toolchain, disk, clock.

use std::path::Path;
use std::process::Command;

use super::Finding;

/// Disk space that a debug build with its dependencies needs.
const BUILD_SPACE_MIB: u64 = 4096;

/// The oldest supported version of Rust.
const OLDEST_RUST: &str = env!("CARGO_PKG_RUST_VERSION");

/// Runs a program and returns its output, or `None` if it is missing or fails.
pub(super) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Compiler, components and C compiler.
pub(super) fn toolchain() -> Vec<Finding> {
    let rust = output(Command::new("rustc").arg("--version"));
    let mut findings = vec![rust_version(rust.as_deref())];
    for (component, needed_by) in [("fmt", "generated code"), ("clippy", "the checks of CI")] {
        if output(Command::new("cargo").args([component, "--version"])).is_none() {
            let name = if component == "fmt" {
                "rustfmt"
            } else {
                component
            };
            findings.push(Finding::failed(
                "toolchain",
                format!("`cargo {component}` is missing, which {needed_by} needs"),
                format!("run `rustup component add {name}`"),
            ));
        }
    }
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    findings.push(match output(Command::new(&compiler).arg("--version")) {
        Some(text) => Finding::ok("C compiler", text.lines().next().unwrap_or(&compiler)),
        None => Finding::failed(
            "C compiler",
            format!("`{compiler}` is missing, with which SQLite and the cryptography are built"),
            "install `gcc` or `clang`, on Debian with `apt-get install build-essential`",
        ),
    });
    findings
}

/// Compares `rustc 1.95.0 (..)` with the oldest supported version.
fn rust_version(text: Option<&str>) -> Finding {
    let Some(text) = text else {
        return Finding::failed(
            "Rust",
            "`rustc` is missing",
            "install it from https://rustup.rs",
        );
    };
    let number = text.split_whitespace().nth(1).unwrap_or_default();
    if numbers(number) < numbers(OLDEST_RUST) {
        return Finding::failed(
            "Rust",
            format!("{number} is older than {OLDEST_RUST}, which Doyen needs"),
            "run `rustup update stable`",
        );
    }
    Finding::ok("Rust", format!("{number} ({OLDEST_RUST} or newer)"))
}

fn numbers(version: &str) -> Vec<u32> {
    let digits = version.split(['.', '-']);
    digits.map_while(|part| part.parse().ok()).collect()
}

/// Free space where the application is built.
pub(super) fn disk(folder: &Path) -> Option<Finding> {
    let table = output(Command::new("df").arg("-Pk").arg(folder))?;
    let free: u64 = table
        .lines()
        .last()?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    let mib = free / 1024;
    Some(match mib {
        0..BUILD_SPACE_MIB => Finding::warning(
            "disk",
            format!("{mib} MiB free; a build needs up to {BUILD_SPACE_MIB}"),
            "run `cargo clean`, or set CARGO_TARGET_DIR to a folder on another disk",
        ),
        _ => Finding::ok("disk", format!("{mib} MiB free")),
    })
}

/// Access tokens and cursors carry times, which nodes compare.
pub(super) fn clock() -> Finding {
    let now = chrono::Utc::now();
    let text = now.format("%Y-%m-%d %H:%M UTC");
    let synchronized =
        output(Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]));
    match synchronized.as_deref() {
        Some("no") => Finding::warning(
            "clock",
            format!("{text}, not synchronized"),
            "run `timedatectl set-ntp true`: nodes compare times",
        ),
        Some("yes") => Finding::ok("clock", format!("{text}, synchronized")),
        _ => Finding::ok("clock", format!("{text}; compare it with another clock")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let state = |text| rust_version(text).state;
        assert_eq!(state(Some("rustc 1.100.0 (abc 2027-01-01)")), State::Ok);
        assert_eq!(state(Some("rustc 1.95.0-nightly (abc)")), State::Ok);
        assert_eq!(state(Some("rustc 1.9.0 (abc)")), State::Failed);
        assert_eq!(state(None), State::Failed);
    }
}
