//! `docs/guide/attributes.md` names every word that the macros know.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// Lists in the macros that hold no words of attributes.
const OTHER_LISTS: [&str; 4] = ["BACKENDS", "CASES", "FOREIGN", "PLAIN"];

/// Returns the words of lists (`const WORDS: .. = ["range", ..];`), of arms (`"range" => ..`) and
/// of the names of macros (`derive!(Input(input, validate), ..)`).
fn words(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut is_list = false;
    for line in code.lines() {
        let line = line.trim();
        if let Some(rest) = line
            .strip_prefix("derive!(")
            .or(line.strip_prefix("attribute!("))
        {
            found.insert(rest.split(['(', ',']).next().unwrap().to_owned());
        }
        if let Some(at) = line.find("const ")
            && line.contains('[')
        {
            is_list = !OTHER_LISTS
                .iter()
                .any(|name| line[at..].contains(&format!("const {name}:")));
        }
        let is_arm = line.contains("=>") || line.ends_with('|') || line.contains("matches!(");
        if is_list || is_arm {
            let part = line.split("=>").next().unwrap_or(line);
            let texts = if is_list { line } else { part };
            let literals = texts.split('"').skip(1).step_by(2);
            let literals: Vec<&str> = literals.collect();
            // A row of a table begins with its word.
            let count = if line.starts_with('(') && is_list {
                1
            } else {
                literals.len()
            };
            found.extend(
                literals
                    .into_iter()
                    .take(count)
                    .filter(|text| is_word(text))
                    .map(str::to_owned),
            );
        }
        if line.ends_with("];") {
            is_list = false;
        }
    }
    found
}

fn is_word(text: &str) -> bool {
    text.len() > 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn the_page_names_every_word_of_the_macros() {
    let page = fs::read_to_string(root().join("docs/guide/attributes.md")).unwrap();
    let mut files = Vec::new();
    sources(&root().join("crates/doyen-macros/src"), &mut files);
    let mut all = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        all.extend(words(text.split("#[cfg(test)]").next().unwrap()));
    }
    // The scan finds what it is meant to find.
    for known in [
        "allow",
        "range",
        "exclusive_max",
        "tag",
        "topic",
        "not_found",
        "Input",
        "extractor",
        "query",
    ] {
        assert!(all.contains(known), "{known} in {all:?}");
    }
    let named = |word: &&String| {
        ["`", " ", "("]
            .iter()
            .any(|end| page.contains(&format!("`{word}{end}")))
            || page.contains(&format!("`#[{word}"))
            || page.contains(&format!("{word} = "))
            || page.contains(&format!("{word}(..)`"))
    };
    let missing: Vec<&String> = all.iter().filter(|word| !named(word)).collect();
    assert!(
        missing.is_empty(),
        "add to docs/guide/attributes.md: {missing:?}"
    );
}
