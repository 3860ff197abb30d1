//! `cargo xtask unused`: each dependency of a crate is named in its sources.
//!
//! An unused dependency costs every build. The name must be a word in the Rust files of the crate:
//! in `src` for a dependency, in any file for one of tests. Files elsewhere that the manifest or
//! `#[path = ".."]` names belong to the crate too. A name that only a macro of another crate uses
//! would be reported; there is no such case.

use std::collections::HashSet;
use std::path::Path;

use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;

/// Tables of a manifest, and the folders whose files may use their entries.
const TABLES: [(&str, &[&str]); 3] = [
    ("dependencies", &["src"]),
    ("dev-dependencies", &["src", "tests", "benches", "examples"]),
    ("build-dependencies", &["."]),
];

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let mut unused = Vec::new();
    let mut looked_at = 0;
    for path in workspace::manifests()? {
        let folder = path.parent().unwrap_or(Path::new("."));
        let manifest: toml::Table = std::fs::read_to_string(&path)?.parse()?;
        for (table, folders) in TABLES {
            let names = dependencies(&manifest, table);
            if names.is_empty() {
                continue;
            }
            looked_at += names.len();
            let mut words = HashSet::new();
            for inner in folders {
                collect_words(&folder.join(inner), &mut words)?;
            }
            for target in targets(&manifest, table) {
                let file = folder.join(target);
                collect_words(file.parent().unwrap_or(folder), &mut words)?;
            }
            let shown = path.strip_prefix(workspace::root()).unwrap_or(&path);
            unused.extend(
                names
                    .into_iter()
                    .filter(|name| !words.contains(&name.replace('-', "_")))
                    .map(|name| format!("{}: `{name}` in [{table}]: remove it", shown.display())),
            );
        }
    }
    if looked_at == 0 {
        return Err(Failure::new("no dependencies were found"));
    }
    Failure::unless_empty("dependencies that nothing uses", &unused)?;
    println!("{looked_at} dependencies: each is used");
    Ok(())
}

/// Returns the names under which a crate uses its dependencies.
fn dependencies(manifest: &toml::Table, table: &str) -> Vec<String> {
    let table = manifest.get(table).and_then(toml::Value::as_table);
    table
        .into_iter()
        .flat_map(toml::Table::keys)
        .cloned()
        .collect()
}

/// Returns the paths of the library, and for dependencies of tests those of the tests.
fn targets<'a>(manifest: &'a toml::Table, table: &str) -> Vec<&'a str> {
    let tests = manifest.get("test").and_then(toml::Value::as_array);
    let tests = tests.filter(|_| table == "dev-dependencies");
    let all = manifest
        .get("lib")
        .into_iter()
        .chain(tests.into_iter().flatten());
    all.filter_map(|target| target.get("path")?.as_str())
        .collect()
}

/// Adds each word of the Rust files in this folder.
fn collect_words(folder: &Path, words: &mut HashSet<String>) -> Result {
    let Ok(entries) = std::fs::read_dir(folder) else {
        // A folder may be missing.
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect_words(&path, words)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)?;
            add_words(&text, words);
            for named in named_files(&text) {
                // A text may look like the attribute; the compiler reports a file that is missing.
                add_words(
                    &std::fs::read_to_string(folder.join(named)).unwrap_or_default(),
                    words,
                );
            }
        }
    }
    Ok(())
}

/// Returns the files of `#[path = ".."]` attributes.
fn named_files(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let path = line.trim().strip_prefix("#[path = \"")?;
        path.strip_suffix("\"]")
    })
}

fn add_words(text: &str, words: &mut HashSet<String>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for word in text.split(|c| !is_word(c)).filter(|word| !word.is_empty()) {
        if !words.contains(word) {
            words.insert(word.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_as_a_whole_word() {
        let mut words = HashSet::new();
        add_words("use serde_json::Value; // httpdate", &mut words);
        assert!(words.contains("serde_json") && words.contains("httpdate"));
        assert!(!words.contains("serde") && !words.contains("json"));
    }

    #[test]
    fn files_elsewhere_belong_to_the_crate() {
        let manifest =
            "[lib]\npath = \"../a/src/lib.rs\"\n[[test]]\npath = \"../a/tests/main.rs\"\n";
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(targets(&manifest, "dependencies"), ["../a/src/lib.rs"]);
        assert_eq!(targets(&manifest, "dev-dependencies").len(), 2);
        let text = "    #[path = \"../kit.rs\"]\nmod kit;\n// #[path]\n";
        assert_eq!(named_files(text).collect::<Vec<_>>(), ["../kit.rs"]);
    }

    #[test]
    fn dependencies_are_found_in_either_form() {
        let manifest = "[dependencies]\na.workspace = true\nb-c = { version = \"1\" }\n";
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(dependencies(&manifest, "dependencies"), ["a", "b-c"]);
        assert!(dependencies(&manifest, "dev-dependencies").is_empty());
    }
}
