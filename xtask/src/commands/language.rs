//! `cargo xtask language`: prose uses common phrases, and comments and Markdown wrap at 100 columns.
//!
//! Reads the Rust files, the Markdown files and the OpenAPI document of the helpdesk. A phrase of
//! [`PHRASES`] is also found across a line break. Identifiers such as `is_told` are other words.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;

/// Phrases that prose does not use, with a replacement.
const PHRASES: [(&str, &str); 34] = [
    ("anew", "again"),
    ("anybody", "anyone, any client"),
    ("beside", "next to, in addition to"),
    ("can not", "cannot"),
    ("dead job", "failed job"),
    ("dead jobs", "failed jobs"),
    ("everybody", "every user, every client"),
    ("for ever", "forever"),
    ("free JSON", "`serde_json::Value`"),
    ("goes away", "disconnects, is unavailable"),
    ("good once", "single-use"),
    ("good-bye", "(name the message)"),
    ("held up", "delayed, blocked"),
    ("identified caller", "authenticated caller"),
    ("identified callers", "authenticated callers"),
    ("inner address", "internal address"),
    ("inner addresses", "internal addresses"),
    ("inner service", "internal service"),
    ("inner services", "internal services"),
    ("is away", "is unavailable"),
    ("kept out", "disabled, refused"),
    ("look-up", "lookup"),
    ("no good", "invalid"),
    ("nobody", "no user, no client"),
    ("once more", "again"),
    ("somebody", "a user, a client, the caller"),
    ("thrown out", "logged out"),
    ("time-out", "timeout"),
    ("told", "got, is notified"),
    ("went away", "disconnected, was unavailable"),
    ("what was cached", "the cached values"),
    ("what was different", "the differences"),
    ("whoever", "the client that, the caller that"),
    ("whosoever", "the client that, the caller that"),
];

/// This list.
const SELF: &str = "xtask/src/commands/language.rs";

/// The change log has longer lines.
const CHANGELOG: &str = "CHANGELOG.md";

/// Maximum length of a line with a comment, and of a line of Markdown.
const MAX_COLUMNS: usize = 100;

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let root = workspace::root();
    let names = output(
        Command::new("git")
            .arg("-C")
            .arg(&root)
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .args(["*.rs", "*.md", "apps/helpdesk/openapi.json"]),
    )?;
    let mut findings = Vec::new();
    let mut checked = 0_u32;
    for name in names.lines().filter(|name| *name != SELF) {
        // A deleted file is listed until the deletion is committed.
        if !root.join(name).is_file() {
            continue;
        }
        let text = workspace::read(name)?;
        findings.extend(phrases(name, &text));
        match Path::new(name).extension().and_then(OsStr::to_str) {
            Some("rs") => findings.extend(long_comments(name, &text)),
            Some("md") if name != CHANGELOG => findings.extend(long_prose(name, &text)),
            _ => {}
        }
        checked += 1;
    }
    Failure::unless_empty("language", &findings)?;
    println!(
        "{checked} files: none of {} phrases, no comment or prose of more than {MAX_COLUMNS} columns",
        PHRASES.len()
    );
    Ok(())
}

/// Returns one finding for each phrase of the list.
fn phrases(name: &str, text: &str) -> Vec<String> {
    let words = words(text);
    let mut findings = Vec::new();
    for at in 0..words.len() {
        for (phrase, replacement) in PHRASES {
            let found = phrase.split(' ').enumerate().all(|(offset, word)| {
                words
                    .get(at + offset)
                    .is_some_and(|(_, other)| other.eq_ignore_ascii_case(word))
            });
            if found {
                let line = words[at].0;
                findings.push(format!("{name}:{line}: `{phrase}`, write: {replacement}"));
            }
        }
    }
    findings
}

/// Returns the words of a text with their lines. Punctuation is an empty word, so that no phrase
/// extends over it. Comment markers are left out.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_start().trim_start_matches(['/', '!', '#', '>']);
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let end = rest.find(|letter| !is_letter(letter));
            let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
            if !word.is_empty() {
                words.push((number, word));
                rest = after;
                continue;
            }
            if !first.is_whitespace() {
                words.push((number, ""));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    words
}

/// True for a character of a word. Identifiers and file names are one word.
fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-')
}

/// Returns one finding for each long line of a comment. A row of a table and a single long word
/// cannot be wrapped.
fn long_comments(name: &str, text: &str) -> Vec<String> {
    let long = |line: &str| {
        let comment = line
            .trim_start()
            .strip_prefix("//")
            .map(|rest| rest.trim_start_matches(['/', '!']).trim());
        line.chars().count() > MAX_COLUMNS
            && comment.is_some_and(|text| !text.starts_with('|') && text.contains(' '))
    };
    text.lines()
        .zip(1..)
        .filter(|(line, _)| long(line))
        .map(|(_, number)| format!("{name}:{number}: wrap the comment at {MAX_COLUMNS} columns"))
        .collect()
}

/// Returns one finding for each long line of Markdown. Tables, code, and a line that is a single
/// link cannot be wrapped.
fn long_prose(name: &str, text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            is_code = !is_code;
        }
        let can_wrap = !is_code && !trimmed.starts_with(['|', '<', '#']) && trimmed.contains(' ');
        if can_wrap && line.chars().count() > MAX_COLUMNS {
            findings.push(format!(
                "{name}:{number}: wrap the line at {MAX_COLUMNS} columns"
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_prose_is_found_outside_of_tables_and_code() {
        let long = "word ".repeat(30);
        assert_eq!(long_prose("a.md", &long).len(), 1);
        let fine = format!(
            "| {long} |\n```sh\n{long}\n```\n# {long}\n{}",
            "x".repeat(200)
        );
        assert_eq!(long_prose("a.md", &fine), Vec::<String>::new());
    }

    #[test]
    fn a_phrase_is_found_with_its_line_and_replacement() {
        let text = "//! A file.\n\n/// Somebody's id. It can\n/// not be changed.\nlet x = 1;\n";
        assert_eq!(
            phrases("a.rs", text),
            [
                "a.rs:3: `somebody`, write: a user, a client, the caller",
                "a.rs:3: `can not`, write: cannot",
            ]
        );
    }

    #[test]
    fn identifiers_file_names_and_separate_clauses_are_no_phrases() {
        let text = "is_told(); [a](0011-reads-beside-seaorm.md) If you can, not later. besides\n";
        assert_eq!(phrases("a.md", text), [""; 0]);
    }

    #[test]
    fn a_long_comment_is_found() {
        let long = "word ".repeat(20);
        let text = format!("    // {long}\nlet x = \"{long}{long}\";\n/// | {long} |\n/// short\n");
        assert_eq!(
            long_comments("a.rs", &text),
            ["a.rs:1: wrap the comment at 100 columns"]
        );
        let link = format!("/// <https://example.com/{}>\n", "a".repeat(90));
        assert!(long_comments("a.rs", &link).is_empty());
    }
}
