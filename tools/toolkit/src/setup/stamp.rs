//! A folder that is complete or absent: named after its inputs, and marked when it is complete.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::workspace;
use crate::{Context, Result};

const STAMP: &str = ".complete";

/// Returns the folder for these inputs. Fills it with `fill` unless an earlier run has completed
/// it.
///
/// An incomplete folder of an interrupted run is removed and filled again.
///
/// # Errors
///
/// Returns the error of `fill`, or an error if the folder cannot be written.
pub fn folder(name: &str, inputs: &[&str], fill: impl FnOnce(&Path) -> Result) -> Result<PathBuf> {
    let folder = workspace::tools()?.join(format!("{name}-{:016x}", fingerprint(inputs)));
    fill_once(&folder, fill)?;
    Ok(folder)
}

fn fill_once(folder: &Path, fill: impl FnOnce(&Path) -> Result) -> Result {
    let stamp = folder.join(STAMP);
    if stamp.is_file() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder)
            .context(|| format!("removing the unfinished {}", folder.display()))?;
    }
    fs::create_dir_all(folder).context(|| format!("making {}", folder.display()))?;
    fill(folder)?;
    fs::write(&stamp, "").context(|| format!("writing {}", stamp.display()))
}

/// Hashes the inputs. The hash may change with the toolchain, which costs one more installation.
fn fingerprint(inputs: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    inputs.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Failure;

    #[test]
    fn fills_once_and_again_after_a_failure() {
        let folder = std::env::temp_dir().join(format!("doyen-stamp-{}", std::process::id()));
        let failed = fill_once(&folder, |folder| {
            fs::write(folder.join("half"), "")?;
            Err(Failure::new("failed"))
        });
        assert!(failed.is_err());

        fill_once(&folder, |folder| {
            assert!(!folder.join("half").exists(), "starts from an empty folder");
            Ok(())
        })
        .unwrap();
        fill_once(&folder, |_| panic!("filled twice")).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn different_inputs_have_different_folders() {
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["ab"]));
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["a", "b"]));
    }
}
