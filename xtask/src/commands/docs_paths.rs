//! `cargo xtask docs-paths`: names in the documents exist.
//!
//! Reads the four documents in the root, `crates/README.md` and everything below `docs/`:
//!
//! - a path in backticks (it has a slash) exists, relative to the root, to the document or to the
//!   helpdesk;
//! - a relative link leads to a file;
//! - a `cargo` command names an existing command and package;
//! - each security claim names an existing test ([`proofs`]);
//! - `crates/README.md` has a sentence for each crate, and for no other.
//!
//! It skips URL paths (they begin with a slash), media types, names with placeholders, folders that
//! git ignores, and everything in a fenced block except `cargo` commands.

pub(super) mod mentions;
mod proofs;
mod tree;

use std::path::{Path, PathBuf};

use toolkit::{Context, Failure, Result, workspace};

use self::mentions::mentions;
use self::tree::Tree;
use crate::commands::no_arguments;

/// Documents that must exist.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "crates/README.md",
];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let tree = Tree::read()?;
    let mut documents: Vec<PathBuf> = DOCUMENTS.iter().map(PathBuf::from).collect();
    collect(&tree.root, Path::new("docs"), &mut documents)?;
    let mut findings = Vec::new();
    let mut named = 0;
    let mut proven = 0;
    for document in &documents {
        let name = document.display().to_string();
        let Ok(text) = workspace::read(&name) else {
            findings.push(format!("{name}: is not there"));
            continue;
        };
        let mentions = mentions(&text);
        named += mentions.len();
        findings.extend(mentions.iter().filter_map(|mention| {
            let why = tree.objection(document, mention)?;
            Some(format!("{name}:{}: {why}", mention.line))
        }));
        if name == proofs::PAGE {
            let (wrong, cited) = proofs::objections(&text)?;
            findings.extend(wrong);
            proven = cited;
        }
        if name == "crates/README.md" {
            findings.extend(
                crate_findings(&text, &tree.crates)
                    .into_iter()
                    .map(|why| format!("{name}: {why}")),
            );
        }
    }
    Failure::unless_empty("documents name what does not exist", &findings)?;
    println!(
        "{} documents: all {named} paths, links and commands exist, and so do {proven} tests of security claims",
        documents.len()
    );
    Ok(())
}

/// Checks the list of crates: each is named in backticks, with a description of a few words.
fn crate_findings(text: &str, crates: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in crates {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("`{name}`")));
        match line.map(|line| {
            line.split_whitespace()
                .filter(|word| word.chars().any(char::is_alphabetic))
                .count()
        }) {
            None => wrong.push(format!("{name} is missing")),
            Some(words) if words < 5 => wrong.push(format!("{name} has no sentence")),
            Some(_) => {}
        }
    }
    let named = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| span.starts_with("doyen-"));
    wrong.extend(
        named
            .filter(|name| !crates.iter().any(|known| known == name))
            .map(|name| format!("{name} is no crate")),
    );
    wrong
}

/// Collects every Markdown file below a folder, in order.
pub(super) fn collect(root: &Path, folder: &Path, into: &mut Vec<PathBuf>) -> Result {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return Ok(());
    };
    let mut names = entries
        .map(|entry| Ok(entry?.file_name()))
        .collect::<Result<Vec<_>>>()
        .context(|| folder.display().to_string())?;
    names.sort();
    for name in names {
        let path = folder.join(name);
        if root.join(&path).is_dir() {
            collect(root, &path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            into.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::crate_findings;

    #[test]
    fn each_crate_has_a_sentence() {
        let crates = ["doyen-core".to_owned(), "doyen-web".to_owned()];
        assert!(
            crate_findings(
                "- `doyen-core`: the types and ports.\n- `doyen-web`: the edge, the router.",
                &crates
            )
            .is_empty()
        );
        let found = crate_findings(
            "- `doyen-core`\n- `doyen-gone`: a crate that was removed.",
            &crates,
        );
        assert_eq!(
            found,
            [
                "doyen-core has no sentence",
                "doyen-web is missing",
                "doyen-gone is no crate"
            ]
        );
    }
}
