//! Checks that the pages show the current files. `CONTRIBUTING.md` lists the other checks of the
//! documentation.
//!
//! - A comment `<!-- docs_src/src/query.rs -->` precedes a block that shows the whole file.
//! - `<!-- part of docs_src/src/query.rs -->` precedes a block of consecutive lines of that file.
//! - Every Rust block of the guide and of the README has such a comment, and some page shows every
//!   file of `docs_src/src`, `docs_src/plugin/src` and `docs_src/names/src`. A table names the
//!   chapters of FastAPI, which are too many (`fastapi/page.rs`). The RealWorld service is counted,
//!   not shown (`realworld.rs`).

use std::fs;
use std::path::{Path, PathBuf};

/// A fenced block and the file it shows.
struct Block {
    place: String,
    language: String,
    shows: Option<(String, bool)>,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn pages() -> Vec<PathBuf> {
    let guide = fs::read_dir(root().join("docs/guide")).unwrap();
    let mut pages: Vec<PathBuf> = guide.map(|entry| entry.unwrap().path()).collect();
    pages.push(root().join("README.md"));
    pages.sort();
    pages
}

fn blocks() -> Vec<Block> {
    pages().iter().flat_map(|page| read(page)).collect()
}

fn read(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    let mut marker: Option<(String, bool)> = None;
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let place = format!("{}:{}", page.display(), number + 1);
                let (language, text) = (language.to_owned(), String::new());
                open = Some(Block {
                    place,
                    language,
                    shows: marker.take(),
                    text,
                });
            }
            (None, None) if line.is_empty() => {}
            (None, None) => marker = named(line),
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", page.display());
    blocks
}

/// Returns the file that a comment names, and true if the block shows only a part of it.
fn named(line: &str) -> Option<(String, bool)> {
    let inside = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    let (path, part) = match inside.strip_prefix("part of ") {
        Some(path) => (path, true),
        None => (inside, false),
    };
    path.contains('/').then(|| (path.to_owned(), part))
}

#[test]
fn each_block_equals_its_file() {
    let mut wrong = Vec::new();
    for block in blocks() {
        let Some((path, part)) = &block.shows else {
            continue;
        };
        let Ok(file) = fs::read_to_string(root().join(path)) else {
            wrong.push(format!("{}: there is no {path}", block.place));
            continue;
        };
        let same = if *part {
            !block.text.trim().is_empty()
                && format!("\n{file}").contains(&format!("\n{}", block.text))
        } else {
            file == block.text
        };
        if !same {
            wrong.push(format!("{}: this is not what {path} holds", block.place));
        }
    }
    assert!(
        wrong.is_empty(),
        "copy the blocks again:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_rust_block_is_a_file_that_runs() {
    let free: Vec<String> = blocks()
        .into_iter()
        .filter(|block| block.language.starts_with("rust") && block.shows.is_none())
        .map(|block| block.place)
        .collect();
    assert!(
        free.is_empty(),
        "blocks without a file:\n{}",
        free.join("\n")
    );
}

#[test]
fn each_file_is_shown() {
    let shown: Vec<String> = blocks()
        .into_iter()
        .filter_map(|block| Some(block.shows?.0))
        .collect();
    let mut files = Vec::new();
    for folder in ["docs_src/src", "docs_src/plugin/src", "docs_src/names/src"] {
        collect(&root().join(folder), &mut files);
    }
    files.retain(|file| !file.ends_with("lib.rs") && !shown.contains(file));
    files.retain(|file| !file.starts_with("docs_src/src/fastapi/"));
    files.retain(|file| !file.starts_with("docs_src/src/realworld/"));
    assert!(files.is_empty(), "files that no page shows: {files:?}");
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path.strip_prefix(root()).unwrap().display().to_string());
        }
    }
}

#[test]
fn a_comment_names_a_file_and_perhaps_a_part() {
    assert_eq!(
        named("<!-- docs_src/src/query.rs -->"),
        Some(("docs_src/src/query.rs".to_owned(), false))
    );
    assert_eq!(
        named("<!-- part of a/b.rs -->"),
        Some(("a/b.rs".to_owned(), true))
    );
    assert_eq!(named("<!-- a remark -->"), None);
}
