//! Builds the application with cargo.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::failure::{Failure, Result};

/// Builds the application. Cargo prints its progress and errors. `None` if they are in the way.
pub(super) async fn build(root: &Path) -> Result<Option<PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // A build after a change is about the change. An explicit wish is respected.
    let incremental = std::env::var_os("CARGO_INCREMENTAL").unwrap_or_else(|| "1".into());
    let build = Command::new(cargo)
        .args(["build", "--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .env("CARGO_INCREMENTAL", incremental)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map(tokio::process::Child::wait_with_output);
    let failed = |error| Failure::new(format!("cargo cannot be run: {error}"));
    let output = build.map_err(failed)?.await.map_err(failed)?;
    if !output.status.success() {
        return Ok(None);
    }
    let manifest = root.join("Cargo.toml");
    let text = String::from_utf8_lossy(&output.stdout);
    let programs: Vec<PathBuf> = text
        .lines()
        .filter_map(|line| program(line, &manifest))
        .collect();
    match programs.as_slice() {
        [program] => Ok(Some(program.clone())),
        [] => Err(Failure::new(format!("{} has no program", manifest.display()))
            .help("add `src/main.rs` with `doyen::run`")),
        _ => Err(Failure::new(format!(
            "{} has several programs",
            manifest.display()
        ))
        .help("keep one in the package of the application, and move the others to packages of their own")),
    }
}

/// Returns the path of a program of the package, if the message says that it is built.
fn program(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["manifest_path"] != manifest.to_str()? {
        return None;
    }
    message["executable"].as_str().map(PathBuf::from)
}
