//! Carries the change between two generated texts over to a third, which the user has edited.
//!
//! A line of the user's text corresponds to a generated line if a diff matches them. New lines are
//! added next to the lines that correspond to their neighbours. A change without such a line is
//! left to the user.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffTag, TextDiff};

/// The user's text with the changes, and the lines that found no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Transplanted {
    pub(crate) text: String,
    pub(crate) left: Vec<String>,
}

/// Applies the change from `old` to `new` to `mine`.
pub(crate) fn transplant(old: &str, new: &str, mine: &str) -> Transplanted {
    let place = correspondence(old, mine);
    let new_lines: Vec<&str> = new.lines().collect();
    let mut lines: Vec<Vec<&str>> = mine.lines().map(|line| vec![line]).collect();
    // Lines after the last one.
    lines.push(Vec::new());
    let mut left = Vec::new();
    for op in diff(old, new).ops() {
        let (tag, removed, added) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            continue;
        }
        let added = &new_lines[added];
        let start = place.get(&removed.start).copied();
        if removed.is_empty() {
            let previous = removed
                .start
                .checked_sub(1)
                .and_then(|line| place.get(&line));
            // In front of the line that follows; else after the line before.
            match start.or(previous.map(|line| line + 1)) {
                Some(at) => {
                    let end = lines[at].len().saturating_sub(1);
                    lines[at].splice(end..end, added.iter().copied());
                }
                None => left.push(added.join("\n")),
            }
            continue;
        }
        let follows = |(offset, line): (usize, usize)| {
            place.get(&line).copied() == start.map(|start| start + offset)
        };
        match start {
            Some(at) if removed.clone().enumerate().all(follows) => {
                for line in &mut lines[at..at + removed.len()] {
                    line.pop();
                }
                lines[at].extend(added);
            }
            _ => left.push(added.join("\n")),
        }
    }
    let text: Vec<&str> = lines.into_iter().flatten().collect();
    Transplanted {
        text: text.join("\n") + "\n",
        left,
    }
}

fn diff<'a>(old: &'a str, new: &'a str) -> TextDiff<'a, 'a, 'a, str> {
    TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .diff_lines(old, new)
}

/// Maps the lines of a text to the lines of another that are the same.
fn correspondence(old: &str, mine: &str) -> BTreeMap<usize, usize> {
    let diff = diff(old, mine);
    let equal = diff.ops().iter().filter_map(|op| {
        let (tag, old, mine) = op.as_tag_tuple();
        (tag == DiffTag::Equal).then(|| old.zip(mine))
    });
    equal.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "struct Order {\n    sku: String,\n    at: Time,\n}\n";
    const NEW: &str = "struct Order {\n    sku: String,\n    gift: bool,\n    at: Time,\n}\n";

    #[test]
    fn a_text_that_was_not_edited_becomes_the_new_one() {
        let done = transplant(OLD, NEW, OLD);
        assert_eq!((done.text.as_str(), done.left.len()), (NEW, 0));
    }

    #[test]
    fn edits_of_the_user_stay() {
        let mine = "/// Mine.\nstruct Order {\n    sku: Sku,\n    size: u8,\n    at: Time,\n}\n\nfn mine() {}\n";
        let done = transplant(OLD, NEW, mine);
        assert_eq!(
            done.text,
            "/// Mine.\nstruct Order {\n    sku: Sku,\n    size: u8,\n    gift: bool,\n    at: Time,\n}\n\nfn mine() {}\n"
        );
        assert_eq!(done.left, Vec::<String>::new());
    }

    #[test]
    fn a_changed_line_is_replaced() {
        let (old, new) = ("a\nuse x::{A, B};\nb\n", "a\nuse x::{A, B, C};\nb\n");
        assert_eq!(transplant(old, new, old).text, new);
        let done = transplant(old, new, "a\nuse x::{A, B, D};\nb\n");
        assert_eq!(done.text, "a\nuse x::{A, B, D};\nb\n");
        assert_eq!(done.left, ["use x::{A, B, C};"]);
    }

    #[test]
    fn lines_without_a_place_are_left_to_the_user() {
        let done = transplant(OLD, NEW, "enum Order {}\n");
        assert_eq!(done.text, "enum Order {}\n");
        assert_eq!(done.left, ["    gift: bool,"]);
    }
}
