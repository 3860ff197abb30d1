//! The comments `-- doyen: allow <code> because <reason>`.
//!
//! A comment holds for the whole migration. It may be in either of the two files: the checksum of
//! an applied migration covers the file that applies it, so that one cannot be changed any more.

use crate::{Code, File, Finding};

const MARK: &str = "-- doyen:";

/// A comment for the linter.
struct Comment<'a> {
    /// `up` or `down`.
    way: &'static str,
    line: usize,
    text: &'a str,
    /// The code, if the comment is well-formed.
    code: Option<Code>,
}

/// Returns the comments of a migration.
fn comments<'a>(file: &File<'a>) -> Vec<Comment<'a>> {
    let ways = [("up", file.up), ("down", file.down)];
    let lines = ways.into_iter().flat_map(|(way, sql)| {
        let numbered = (1..).zip(sql.lines());
        numbered.map(move |(line, text)| (way, line, text))
    });
    lines
        .filter_map(|(way, line, text)| {
            let text = &text[text.find(MARK)?..];
            let code = parse(text[MARK.len()..].trim());
            Some(Comment {
                way,
                line,
                text,
                code,
            })
        })
        .collect()
}

/// Parses `allow <code> because <reason>`.
fn parse(text: &str) -> Option<Code> {
    let (code, reason) = text.strip_prefix("allow ")?.split_once(" because")?;
    let has_reason = reason.starts_with(' ') && !reason.trim().is_empty();
    let code = Code::parse(code.trim()).filter(|code| !code.is_about_comments())?;
    has_reason.then_some(code)
}

/// Removes the findings that comments allow. Adds those about the comments, which are compared with
/// the findings that the file has `alone`.
pub(crate) fn apply(file: &File<'_>, alone: &[Finding], findings: &mut Vec<Finding>) {
    let comments = comments(file);
    let has = |code| alone.iter().any(|finding| finding.code == code);
    let about_comments: Vec<Finding> = comments
        .iter()
        .filter_map(|comment| {
            let code = match comment.code {
                None => Code::AllowMalformed,
                Some(code) if !has(code) => Code::AllowUnused,
                Some(_) => return None,
            };
            let path = file.path(comment.way);
            Some(Finding::new(code, path, comment.line, comment.text))
        })
        .collect();
    findings.retain(|finding| {
        !comments
            .iter()
            .any(|comment| comment.code == Some(finding.code))
    });
    findings.extend(about_comments);
}
