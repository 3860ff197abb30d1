//! The length of the chapters in lines of code, next to that of FastAPI's programs.
//!
//! `fastapi_lines.tsv` has the lines of FastAPI's programs, counted in August 2026. Blank lines,
//! comments, documentation and imports do not count, in both languages. The second number is that
//! of the lines with a letter or a digit: it leaves out lines of brackets alone, which Rust has
//! where Python indents.

use std::collections::BTreeMap;
use std::path::Path;

use super::page;

/// All lines of code, and those with a letter or a digit.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lines {
    pub(crate) all: u32,
    worded: u32,
}

impl Lines {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.worded += other.worded;
    }
}

/// The lines of FastAPI's programs by their names.
fn theirs() -> BTreeMap<String, Lines> {
    let text = std::fs::read_to_string("fastapi_lines.tsv").unwrap();
    let read = |line: &str| {
        let [name, all, worded] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}");
        };
        let (all, worded) = (all.parse().unwrap(), worded.parse().unwrap());
        (name.to_owned(), Lines { all, worded })
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(read)
        .collect()
}

/// Counts the lines of a file, or of all files of its folder.
fn ours(file: &str) -> Lines {
    let path = Path::new("src/fastapi").join(file);
    let mut lines = Lines::default();
    if path.ends_with("mod.rs") {
        for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            lines.add(count(
                &std::fs::read_to_string(entry.unwrap().path()).unwrap(),
            ));
        }
    } else {
        lines = count(&std::fs::read_to_string(path).unwrap());
    }
    lines
}

pub(crate) fn count(text: &str) -> Lines {
    let mut lines = Lines::default();
    let mut in_import = false;
    for line in text.lines().map(str::trim) {
        let begins_import = line.starts_with("use ") || line.starts_with("pub use ");
        if in_import || begins_import {
            in_import = !line.ends_with(';');
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        lines.all += 1;
        lines.worded += u32::from(line.chars().any(char::is_alphanumeric));
    }
    lines
}

#[test]
fn the_page_states_the_measured_length() {
    let known = theirs();
    let (mut python, mut rust, mut programs) = (Lines::default(), Lines::default(), 0);
    for row in page::rows() {
        for program in &row.theirs {
            assert!(known.contains_key(program), "{program} was not counted");
        }
        let ([program], [file]) = (&row.theirs[..], &row.ours[..]) else {
            continue;
        };
        if row.is_part {
            continue;
        }
        python.add(known[program]);
        rust.add(ours(file));
        programs += 1;
    }
    let ratio = |rust: u32, python: u32| f64::from(rust) / f64::from(python);
    let (all, worded) = (
        ratio(rust.all, python.all),
        ratio(rust.worded, python.worded),
    );
    let stated = format!(
        "| lines of code | {} | {} | {all:.2} : 1 |\n| of these, with a letter or a digit | {} | {} | {worded:.2} : 1 |",
        python.all, rust.all, python.worded, rust.worded
    );
    let page = page::text();
    assert!(page.contains(&stated), "the page does not state:\n{stated}");
    let number = format!("{programs} of the chapters");
    assert!(page.contains(&number), "the page does not state: {number}");
    assert!(
        worded <= 1.15,
        "{worded:.3} lines with a word for each line of FastAPI"
    );
}

#[test]
fn blank_lines_comments_and_imports_do_not_count() {
    let text = "//! Doc.\n\nuse a::{\n    b,\n};\nuse c::d;\n\n/// Doc.\nfn e() {\n    // why\n    f();\n}\n";
    let lines = count(text);
    assert_eq!((lines.all, lines.worded), (3, 2));
}
