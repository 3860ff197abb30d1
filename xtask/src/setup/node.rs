//! Node.js and the npm packages of `tools/package-lock.json`.

use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::process::{find, output, run};
use toolkit::setup::{stamp, system};
use toolkit::{Context, Failure, Result, workspace};

/// The oldest version of Node.js that the packages support.
const OLDEST: (u32, u32) = (20, 19);

/// A folder with `node_modules`.
pub(crate) struct Modules(PathBuf);

impl Modules {
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("node_modules/.bin").join(name)
    }
}

pub(crate) fn find_or_install() -> Result<Modules> {
    if find(&["node"]).is_none() || find(&["npm"]).is_none() {
        system::install("Node.js", &["nodejs", "npm"])?;
    }
    let version = output(Command::new("node").arg("--version"))?;
    if parse(&version).is_none_or(|version| version < OLDEST) {
        let (major, minor) = OLDEST;
        return Err(Failure::new(format!(
            "Node.js {} is too old: install {major}.{minor} or newer",
            version.trim()
        )));
    }
    let files = ["package.json", "package-lock.json", ".npmrc"];
    let texts = files.map(|file| workspace::read(&format!("tools/{file}")));
    let texts = texts.into_iter().collect::<Result<Vec<_>>>()?;
    let inputs: Vec<&str> = texts.iter().map(String::as_str).collect();
    let folder = stamp::folder("node", &inputs, |folder| {
        println!("installing the npm packages of tools/package-lock.json");
        for (file, text) in files.iter().zip(&texts) {
            std::fs::write(folder.join(file), text).context(|| format!("writing {file}"))?;
        }
        run(Command::new("npm")
            .args(["ci", "--loglevel=error"])
            .current_dir(folder))
    })?;
    link(
        &folder.join("node_modules"),
        &workspace::root().join("tools/node_modules"),
    )?;
    Ok(Modules(folder))
}

/// Node.js looks for packages in the folder of the importing file and above it, so the packages in
/// the target directory are linked in `tools/` too.
fn link(installed: &Path, shown: &Path) -> Result {
    if std::fs::read_link(shown).is_ok_and(|now| now == installed) {
        return Ok(());
    }
    match std::fs::symlink_metadata(shown) {
        Ok(old) if old.is_dir() => std::fs::remove_dir_all(shown)?,
        Ok(_) => std::fs::remove_file(shown)?,
        Err(_) => {}
    }
    std::os::unix::fs::symlink(installed, shown).context(|| format!("linking {}", shown.display()))
}

/// Parses `v20.19.2` as (20, 19).
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_replaces_what_was_there() {
        let folder = std::env::temp_dir().join(format!("doyen-link-{}", std::process::id()));
        let shown = folder.join("node_modules");
        std::fs::create_dir_all(shown.join("old")).unwrap();
        for installed in ["first", "second", "second"] {
            link(&folder.join(installed), &shown).unwrap();
            assert_eq!(std::fs::read_link(&shown).unwrap(), folder.join(installed));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(parse("v20.19.2\n").unwrap() >= OLDEST);
        assert!(parse("v100.0.0").unwrap() >= OLDEST);
        assert!(parse("v20.9.0").unwrap() < OLDEST);
        assert_eq!(parse("nonsense"), None);
    }
}
