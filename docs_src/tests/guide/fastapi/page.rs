//! The tables of `docs/guide/fastapi-chapters.md`: each file that they name exists and each file is
//! named; each program of FastAPI is one of those that were counted.

use std::collections::BTreeSet;
use std::path::Path;

/// A row: the programs of FastAPI in the first cell, our files in the second.
pub(super) struct Row {
    pub(super) theirs: Vec<String>,
    pub(super) ours: Vec<String>,
    /// True for `like ..`: the file has another extent, so that their lengths do not compare.
    pub(super) is_part: bool,
}

pub(super) fn text() -> String {
    std::fs::read_to_string("../docs/guide/fastapi-chapters.md").unwrap()
}

/// The rows with a link to one of our files.
pub(super) fn rows() -> Vec<Row> {
    let text = text();
    let cells = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        Some((cells.next()?, cells.next()?))
    });
    let rows = cells.map(|(theirs, ours)| Row {
        theirs: between(theirs, "`", "`"),
        ours: between(ours, "](../../docs_src/src/fastapi/", ")"),
        is_part: theirs.starts_with("like "),
    });
    rows.filter(|row| !row.ours.is_empty()).collect()
}

fn between(text: &str, open: &str, close: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open) {
        let Some((inside, next)) = after.split_once(close) else {
            break;
        };
        found.push(inside.to_owned());
        rest = next;
    }
    found
}

#[test]
fn each_chapter_is_in_a_table_and_each_row_is_a_chapter() {
    let named: Vec<String> = rows().into_iter().flat_map(|row| row.ours).collect();
    for file in &named {
        let path = format!("src/fastapi/{file}");
        assert!(Path::new(&path).is_file(), "there is no {path}");
    }
    let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    for entry in std::fs::read_dir("src/fastapi").unwrap() {
        let path = entry.unwrap().path();
        let mut name = path.file_name().unwrap().display().to_string();
        if path.is_dir() {
            name += "/mod.rs";
        }
        assert!(
            name == "mod.rs" || named.contains(&*name),
            "no table names {name}"
        );
    }
}

#[test]
fn chapters_are_small() {
    let mut lengths: Vec<usize> = Vec::new();
    for row in rows() {
        for file in row.ours {
            let text = std::fs::read_to_string(format!("src/fastapi/{file}")).unwrap();
            lengths.push(text.lines().count());
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median < 30, "the median chapter has {median} lines");
}
