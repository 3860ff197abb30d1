//! Paths of the repository, and the metadata that cargo has about its packages.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::process::{cargo, output};
use crate::{Context, Result};

/// Returns the root of the repository: the nearest folder above the running tool that has a
/// `Cargo.lock`.
///
/// It is determined at run time, because one target directory may serve several clones.
pub fn root() -> PathBuf {
    let ours = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = ours
        .ancestors()
        .find(|folder| folder.join("Cargo.lock").is_file());
    root.map(Path::to_path_buf).unwrap_or(ours)
}

/// Returns the target directory of cargo.
///
/// # Errors
///
/// Returns an error if `cargo metadata` fails.
pub fn target() -> Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(known) = TARGET.get() {
        return Ok(known.clone());
    }
    let metadata = metadata(&["--no-deps"])?;
    let path = PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target"));
    Ok(TARGET.get_or_init(|| path).clone())
}

/// Returns the folder in the target directory for everything that the tools install or write.
///
/// # Errors
///
/// Returns an error if the folder cannot be created.
pub fn tools() -> Result<PathBuf> {
    let folder = target()?.join("xtask");
    std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// Runs `cargo metadata`.
///
/// # Errors
///
/// Returns an error if the command fails or the lock file is out of date.
pub fn metadata(args: &[&str]) -> Result<Value> {
    let text = output(
        cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(args),
    )?;
    Ok(serde_json::from_str(&text)?)
}

/// Returns the path of the `Cargo.toml` of each member of the workspace.
///
/// # Errors
///
/// Returns an error if `cargo metadata` fails.
pub fn manifests() -> Result<Vec<PathBuf>> {
    let metadata = metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    Ok(packages
        .iter()
        .filter_map(|package| package["manifest_path"].as_str())
        .map(PathBuf::from)
        .collect())
}

/// Reads a text file of the repository; `path` is relative to the root.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).context(|| format!("reading {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_has_the_manifest_of_the_workspace() {
        assert!(read("Cargo.toml").unwrap().contains("[workspace]"));
        assert!(
            manifests()
                .unwrap()
                .contains(&root().join("xtask/Cargo.toml"))
        );
    }
}
