//! `cargo xtask cycles`: no import cycle inside a crate spans more than six files.
//!
//! Files that import each other in a circle can only be read, tested and moved together. The
//! command builds the import graph of the files of each crate and looks for its strongly connected
//! components. An import leads to the file that defines the item, however it is re-exported.
//!
//! Imports between a module and the modules above and below it do not count: a parent declares and
//! re-exports its children, and they use its types. Code under `#[cfg(test)]` does not count
//! either.

mod components;
mod imports;
mod modules;

use std::path::Path;

use crate::commands::no_arguments;
use toolkit::{Context, Failure, Result, workspace};

use imports::Sources;

/// Maximum number of files in one cycle.
const MAX_FILES: usize = 6;

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let root = workspace::root();
    let mut findings = Vec::new();
    let mut checked = 0_u32;
    for manifest in workspace::manifests()? {
        let folder = manifest.parent().unwrap_or(Path::new("."));
        let name = folder.strip_prefix(&root).unwrap_or(folder);
        let name = name.display().to_string();
        if !name.starts_with("crates/") && !name.starts_with("apps/") {
            continue;
        }
        let mut sources = Sources::new();
        collect(folder, &folder.join("src"), &mut sources)?;
        let graph = imports::graph(&sources).context(|| name.clone())?;
        findings.extend(judge(&name, &components::of(&graph)));
        checked += 1;
    }
    Failure::unless_empty("import cycles", &findings)?;
    println!("{checked} crates: no import cycle of more than {MAX_FILES} files");
    Ok(())
}

/// Reads the Rust files of a folder, by their path from the folder of the crate.
fn collect(root: &Path, folder: &Path, sources: &mut Sources) -> Result {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).display();
            sources.insert(name.to_string(), std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Returns one finding for each cycle of a crate that is too large.
fn judge(name: &str, cycles: &[Vec<String>]) -> Vec<String> {
    cycles
        .iter()
        .filter(|cycle| cycle.len() > MAX_FILES)
        .map(|cycle| {
            format!(
                "{name}: {} files import each other, the maximum is {MAX_FILES}: {}",
                cycle.len(),
                cycle.join(", ")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of this many files `a0.rs`, `a1.rs`, ... in which each imports the next one, and the
    /// last one the first if `closed`.
    fn chain(files: usize, closed: bool) -> Sources {
        let mut sources = Sources::new();
        let modules: String = (0..files).map(|at| format!("mod a{at};\n")).collect();
        sources.insert("src/lib.rs".into(), modules);
        for at in 0..files {
            let next = (at + 1) % files;
            let import = if next > 0 || closed {
                format!("use crate::a{next}::T{next};")
            } else {
                String::new()
            };
            sources.insert(
                format!("src/a{at}.rs"),
                format!("{import} pub struct T{at};"),
            );
        }
        sources
    }

    fn findings(sources: &Sources) -> Vec<String> {
        judge(
            "crates/x",
            &components::of(&imports::graph(sources).unwrap()),
        )
    }

    #[test]
    fn a_cycle_of_seven_files_fails_and_one_of_six_passes() {
        assert_eq!(
            findings(&chain(7, true)),
            [
                "crates/x: 7 files import each other, the maximum is 6: src/a0.rs, src/a1.rs, src/a2.rs, src/a3.rs, src/a4.rs, src/a5.rs, src/a6.rs"
            ]
        );
        assert!(findings(&chain(6, true)).is_empty());
        assert!(findings(&chain(7, false)).is_empty());
    }
}
