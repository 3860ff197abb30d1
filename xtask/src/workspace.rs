//! Where things are: the root, the target directory, what cargo knows of the packages.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::failure::{Context, Result};
use crate::process::{cargo, output};

/// The root of the repository.
///
/// Asked at run time, because one target directory may serve several clones.
pub(crate) fn root() -> PathBuf {
    let ours = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    ours.parent().map(Path::to_path_buf).unwrap_or(ours)
}

/// Cargo's target directory, wherever the environment or a configuration file puts it.
pub(crate) fn target() -> Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(known) = TARGET.get() {
        return Ok(known.clone());
    }
    let metadata = metadata(&["--no-deps"])?;
    let path = PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target"));
    Ok(TARGET.get_or_init(|| path).clone())
}

/// The folder below the target directory for all that we install or write.
pub(crate) fn tools() -> Result<PathBuf> {
    let folder = target()?.join("xtask");
    std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// `cargo metadata`, as JSON.
pub(crate) fn metadata(args: &[&str]) -> Result<Value> {
    let text = output(
        cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(args),
    )?;
    Ok(serde_json::from_str(&text)?)
}

/// The `Cargo.toml` of each member of the workspace.
pub(crate) fn manifests() -> Result<Vec<PathBuf>> {
    let metadata = metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    Ok(packages
        .iter()
        .filter_map(|package| package["manifest_path"].as_str())
        .map(PathBuf::from)
        .collect())
}

/// A text file of the repository, by its path from the root.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).context(|| format!("reading {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(read("Cargo.toml").unwrap().contains("[workspace]"));
        assert!(
            manifests()
                .unwrap()
                .contains(&root().join("xtask/Cargo.toml"))
        );
    }
}
