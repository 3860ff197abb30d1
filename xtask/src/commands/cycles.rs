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

/// Crates with a larger cycle, and its number of files. The list may only shrink.
const KNOWN: [(&str, usize); 2] = [("crates/doyen", 8), ("crates/doyen-core", 12)];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let root = workspace::root();
    let mut findings = Vec::new();
    let mut checked = Vec::new();
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
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let known = known.map(|(_, files)| *files);
        findings.extend(judge(&name, &components::of(&graph), known));
        checked.push(name);
    }
    let gone = KNOWN
        .iter()
        .filter(|(name, _)| !checked.iter().any(|one| one == name));
    findings.extend(
        gone.map(|(name, _)| format!("{name}: there is no such crate. Remove it from `KNOWN`")),
    );
    Failure::unless_empty("import cycles", &findings)?;
    println!(
        "{} crates: no import cycle of more than {MAX_FILES} files, except in {}",
        checked.len(),
        KNOWN
            .map(|(name, files)| format!("{name} ({files})"))
            .join(", ")
    );
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

/// Returns what is wrong with the cycles of a crate.
fn judge(name: &str, cycles: &[Vec<String>], known: Option<usize>) -> Vec<String> {
    let allowed = known.unwrap_or(MAX_FILES);
    let too_large = cycles.iter().filter(|cycle| cycle.len() > allowed);
    let mut findings: Vec<String> = too_large
        .map(|cycle| {
            format!(
                "{name}: {} files import each other, at most {allowed} may: {}",
                cycle.len(),
                cycle.join(", ")
            )
        })
        .collect();
    let largest = cycles.iter().map(Vec::len).max().unwrap_or(0);
    match known {
        Some(_) if largest <= MAX_FILES => findings.push(format!(
            "{name}: its largest cycle has {largest} files now. Remove the crate from `KNOWN`"
        )),
        Some(files) if largest < files => findings.push(format!(
            "{name}: its largest cycle has {largest} files now. Write {largest} in place of {files} in `KNOWN`"
        )),
        _ => {}
    }
    findings
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

    fn findings(sources: &Sources, known: Option<usize>) -> Vec<String> {
        judge(
            "crates/x",
            &components::of(&imports::graph(sources).unwrap()),
            known,
        )
    }

    #[test]
    fn a_cycle_of_seven_files_fails_and_one_of_six_passes() {
        assert_eq!(
            findings(&chain(7, true), None),
            [
                "crates/x: 7 files import each other, at most 6 may: src/a0.rs, src/a1.rs, src/a2.rs, src/a3.rs, src/a4.rs, src/a5.rs, src/a6.rs"
            ]
        );
        assert!(findings(&chain(6, true), None).is_empty());
        assert!(findings(&chain(7, false), None).is_empty());
    }

    #[test]
    fn a_known_cycle_passes_with_its_size_only() {
        let sources = chain(9, true);
        assert!(findings(&sources, Some(9)).is_empty());
        assert!(
            findings(&sources, Some(8))[0].contains("9 files import each other, at most 8 may")
        );
        assert_eq!(
            findings(&sources, Some(10)),
            ["crates/x: its largest cycle has 9 files now. Write 9 in place of 10 in `KNOWN`"]
        );
        assert_eq!(
            findings(&chain(6, true), Some(9)),
            ["crates/x: its largest cycle has 6 files now. Remove the crate from `KNOWN`"]
        );
    }
}
