//! The page of security claims: each row names an existing test, and the page has every row of the
//! list.
//!
//! A claim is a row of a table whose last column is `proof`: a path of a Rust file, then the tests
//! in it, all in backticks. Every other row is in a table whose last column is `reason`.

use std::collections::BTreeSet;

use toolkit::Result;
use toolkit::workspace;

/// The page.
pub(super) const PAGE: &str = "docs/reference/security.md";

/// The families of the list, and the number of rows of each.
const ROWS: [(&str, u32); 21] = [
    ("T", 17),
    ("O", 11),
    ("S", 4),
    ("P", 4),
    ("K", 1),
    ("Z", 4),
    ("V", 5),
    ("E", 2),
    ("C", 6),
    ("L", 2),
    ("Q", 4),
    ("I", 3),
    ("X", 3),
    ("H", 2),
    ("B", 1),
    ("U", 6),
    ("W", 4),
    ("G", 1),
    ("D", 3),
    ("M", 7),
    ("A", 50),
];

/// Returns the findings of the page, and the number of tests it cites.
pub(super) fn objections(text: &str) -> Result<(Vec<String>, usize)> {
    let mut wrong = Vec::new();
    let mut cited = 0;
    let mut received = BTreeSet::new();
    let mut kind = Kind::Other;
    for (number, line) in text.lines().enumerate() {
        let Some(cells) = cells(line) else {
            kind = Kind::Other;
            continue;
        };
        let last = cells.last().copied().unwrap_or_default();
        match last {
            "proof" => kind = Kind::Claims,
            "reason" => kind = Kind::NotClaimed,
            _ if last.starts_with("---") => {}
            _ if kind == Kind::Other => {}
            _ => {
                received.extend(ids(cells[0]));
                if kind == Kind::Claims {
                    let proofs = proofs(last);
                    let place = format!("{PAGE}:{}", number + 1);
                    if proofs.is_empty() {
                        wrong.push(format!("{place}: `{}` names no test", cells[0]));
                    }
                    cited += proofs.len();
                    for (file, test) in proofs {
                        if !has_test(&workspace::read(file).unwrap_or_default(), test) {
                            wrong.push(format!("{place}: `{file}` has no test `{test}`"));
                        }
                    }
                }
            }
        }
    }
    for (family, rows) in ROWS {
        let missing = (1..=rows).map(|number| format!("{family}{number}"));
        for id in missing.filter(|id| !received.contains(id)) {
            wrong.push(format!("{PAGE}: {id} is in no table"));
        }
    }
    Ok((wrong, cited))
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Claims,
    NotClaimed,
    Other,
}

/// Returns the cells of a row of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Parses `T1, T2` and `A29 to A32`.
fn ids(cell: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for part in cell.split(',').map(str::trim) {
        match part.split_once(" to ") {
            None => ids.push(part.to_owned()),
            Some((first, last)) => {
                let letters = first.trim_end_matches(|c: char| c.is_ascii_digit());
                let number = |text: &str| text.trim_start_matches(letters).parse::<u32>().ok();
                if let (Some(first), Some(last)) = (number(first), number(last)) {
                    ids.extend((first..=last).map(|number| format!("{letters}{number}")));
                }
            }
        }
    }
    ids
}

/// Returns the tests that a cell names, each with the file before it.
fn proofs(cell: &str) -> Vec<(&str, &str)> {
    let mut file = "";
    let mut found = Vec::new();
    for span in cell.split('`').skip(1).step_by(2) {
        if span.contains('/') {
            file = span;
        } else {
            found.push((file, span));
        }
    }
    found
}

/// The macro whose function becomes a test for each database.
const TEST_MACRO: &str = "everywhere! {";

/// True if this Rust file has a test of this name: a function after an attribute `test`, or in the
/// macro.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let is_function = |line: &str| {
        let rest = line.split_once("fn ").map_or("", |(_, rest)| rest);
        rest.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    lines.iter().enumerate().any(|(at, line)| {
        let before = lines[..at].iter().rev();
        is_function(line)
            && before
                .take_while(|line| {
                    line.starts_with("#[") || line.starts_with("//") || **line == TEST_MACRO
                })
                .any(|line| *line == TEST_MACRO || line.starts_with("#[") && line.contains("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "#[test]\nfn real() {}\nfn helper() {}\n#[doyen_test::test]\n// why\nasync fn both(app: App) {}\neverywhere! {\n    async fn each(fresh) {\n    }\n}\n";

    #[test]
    fn a_test_is_told_from_a_function() {
        assert!(
            ["real", "both", "each"]
                .iter()
                .all(|name| has_test(SOURCE, name))
        );
        assert!(
            !has_test(SOURCE, "helper") && !has_test(SOURCE, "rea") && !has_test(SOURCE, "gone")
        );
    }

    #[test]
    fn a_row_without_a_test_and_a_test_that_is_gone_are_named() {
        let here = "xtask/src/commands/docs_paths/proofs.rs";
        let page = format!(
            "| row | what | proof |\n| --- | --- | --- |\n| T1 | a | `{here}`: `a_test_is_told_from_a_function` |\n| T2 | b | |\n| T3, T4 | c | `{here}`: `gone` |\n\n| row | reason |\n| --- | --- |\n| T5 to T17 | later |\n"
        );
        let (wrong, cited) = objections(&page).unwrap();
        let of_t: Vec<_> = wrong.iter().filter(|wrong| wrong.contains(": T")).collect();
        assert_eq!((cited, of_t.len()), (2, 0), "{wrong:?}");
        assert!(
            wrong
                .iter()
                .any(|wrong| wrong.contains("`T2` names no test"))
        );
        assert!(
            wrong
                .iter()
                .any(|wrong| wrong.contains("has no test `gone`"))
        );
        assert!(
            wrong
                .iter()
                .any(|wrong| wrong.contains("A50 is in no table"))
        );
    }
}
