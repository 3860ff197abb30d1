//! The document that the helpdesk prints is the committed one, byte for byte, so that a change of
//! the contract is visible in review.

use toolkit::{Failure, Result, workspace};

use super::Subject;
use crate::helpdesk;

pub(super) fn run(subject: &Subject<'_>) -> Result<String> {
    let printed = subject.text()?;
    let committed = workspace::read(helpdesk::CONTRACT)?;
    if printed == committed {
        return Ok(format!(
            "{} is what the helpdesk prints, {} lines",
            helpdesk::CONTRACT,
            printed.lines().count()
        ));
    }
    Err(Failure::new(format!(
        "the helpdesk prints another document than {} ({}). If the change is intended, run `cargo xtask generate` and commit the file",
        helpdesk::CONTRACT,
        first_difference(&committed, &printed)
    )))
}

/// Returns the first line that differs, for a message.
pub(crate) fn first_difference(committed: &str, now: &str) -> String {
    let mut now_lines = now.lines();
    for (number, old) in committed.lines().enumerate() {
        let number = number + 1;
        match now_lines.next() {
            Some(new) if new == old => {}
            Some(new) => {
                return format!(
                    "line {number}: committed `{}`, now `{}`",
                    short(old),
                    short(new)
                );
            }
            None => return format!("it now ends before line {number}: `{}`", short(old)),
        }
    }
    match now_lines.next() {
        Some(new) => format!("it now continues after its last line: `{}`", short(new)),
        None => "only the line endings differ".to_owned(),
    }
}

/// Shortens a line for a message.
fn short(line: &str) -> String {
    const MAX_CHARS: usize = 100;
    let line = line.trim();
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{first_difference, short};

    #[test]
    fn a_long_line_is_cut_between_letters() {
        assert_eq!(short("  short "), "short");
        assert_eq!(short(&"é".repeat(101)), format!("{}...", "é".repeat(100)));
    }

    #[test]
    fn names_the_first_line_that_differs() {
        assert_eq!(
            first_difference("a\nb\n", "a\nc\n"),
            "line 2: committed `b`, now `c`"
        );
        assert_eq!(
            first_difference("a\nb\n", "a\n"),
            "it now ends before line 2: `b`"
        );
        assert_eq!(
            first_difference("a\n", "a\n b\n"),
            "it now continues after its last line: `b`"
        );
        assert_eq!(first_difference("a\n", "a"), "only the line endings differ");
    }
}
