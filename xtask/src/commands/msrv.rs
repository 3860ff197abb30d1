//! `cargo xtask msrv`: the gate runs with the oldest supported version of Rust.
//!
//! `rust-version` in `Cargo.toml` is a claim about the oldest compiler. It is tested because three
//! versions are the same: that claim, the `channel` in `rust-toolchain.toml`, and the compiler that
//! runs the gate.

use std::process::Command;

use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;

/// A major and a minor version of Rust. A patch release changes neither language nor library.
type Version = (u32, u32);

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let manifest: toml::Table = workspace::read("Cargo.toml")?.parse()?;
    let claimed = &manifest["workspace"]["package"]["rust-version"];
    let toolchain: toml::Table = workspace::read("rust-toolchain.toml")?.parse()?;
    let channel = &toolchain["toolchain"]["channel"];
    let rustc = output(
        Command::new(rustc())
            .arg("--version")
            .current_dir(workspace::root()),
    )?;
    let found = [
        ("`rust-version` in Cargo.toml", text(claimed)),
        ("`channel` in rust-toolchain.toml", text(channel)),
        ("the compiler", rustc.split(' ').nth(1).unwrap_or_default()),
    ];
    let version = the_same(&found)?;
    println!(
        "Rust {}.{} is the oldest supported version and runs the gate",
        version.0, version.1
    );
    Ok(())
}

/// Returns the compiler that cargo uses.
fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn text(value: &toml::Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the version that all of them have.
fn the_same(found: &[(&str, &str)]) -> Result<Version> {
    let versions: Vec<Option<Version>> = found.iter().map(|(_, text)| parse(text)).collect();
    match versions.first() {
        Some(Some(first)) if versions.iter().all(|version| *version == Some(*first)) => Ok(*first),
        _ => {
            let list = found
                .iter()
                .map(|(origin, text)| format!("{origin} is `{text}`"));
            let heading = "the versions of Rust differ, so the oldest supported one is not tested";
            Failure::unless_empty(heading, &list.collect::<Vec<_>>())?;
            Err(Failure::new("there are no versions to compare"))
        }
    }
}

/// Parses `1.95` and `1.95.0`; `stable` and `1.96.0-nightly` are no fixed version.
fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(str::parse);
    let version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    numbers.all(|number| number.is_ok()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_release_is_the_same_version() {
        let found = [("a", "1.95"), ("b", "1.95.0"), ("c", "1.95.2")];
        assert_eq!(the_same(&found).unwrap(), (1, 95));
    }

    #[test]
    fn a_version_that_differs_or_is_not_fixed_fails() {
        for other in ["1.94", "stable", "1.95.0-nightly", ""] {
            let failure = the_same(&[("a", "1.95"), ("b", other)]).unwrap_err();
            assert!(
                failure.to_string().contains(&format!("b is `{other}`")),
                "{failure}"
            );
        }
    }
}
