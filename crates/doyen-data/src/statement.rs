//! What the text of a statement shows without parsing.
//!
//! This serves clear messages, not safety: the database itself enforces what a session may do.

/// The kind of a statement, by its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementKind {
    /// SELECT and the like. The database decides whether it writes.
    Read,
    /// BEGIN, COMMIT, SAVEPOINT and the like, which only the session runs.
    Transaction,
    /// Everything else.
    Write,
}

pub(crate) fn classify(sql: &str) -> StatementKind {
    // The common case, without a scan.
    if let Some((word, rest)) = sql.as_bytes().split_at_checked(6)
        && word.eq_ignore_ascii_case(b"SELECT")
        && !rest.first().is_some_and(u8::is_ascii_alphabetic)
    {
        return StatementKind::Read;
    }
    let word = first_word(sql);
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(&["SELECT", "WITH", "VALUES", "EXPLAIN", "SHOW", "TABLE", "("]) {
        StatementKind::Read
    } else if is(&[
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "END",
        "SAVEPOINT",
        "RELEASE",
        "START",
        "ABORT",
    ]) {
        StatementKind::Transaction
    } else {
        StatementKind::Write
    }
}

/// Returns the first word after white space and comments. An opening parenthesis counts as a word.
fn first_word(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment
                .split_once('\n')
                .map_or("", |(_, rest)| rest)
                .trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment
                .split_once("*/")
                .map_or("", |(_, rest)| rest)
                .trim_start();
        } else {
            break;
        }
    }
    if rest.starts_with('(') {
        return "(";
    }
    let end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    &rest[..end]
}

/// Returns the shape of a statement, which is the same for every number of values.
///
/// Lists of placeholders are shortened to `(..)`, and runs of white space to one space:
///
/// ```
/// let shape = doyen_data::statement_shape("SELECT *\n  FROM t WHERE id IN ($1, $2)");
/// assert_eq!(shape, "SELECT * FROM t WHERE id IN (..)");
/// ```
pub fn statement_shape(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for word in sql.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    // `IN ($1, $2, $3)` equals `IN ($1)`, and so does `VALUES (..), (..)`.
    let mut short = String::with_capacity(out.len());
    let mut rest = out.as_str();
    while let Some(open) = rest.find('(') {
        short.push_str(&rest[..=open]);
        rest = &rest[open + 1..];
        let close = rest.find([')', '(']).unwrap_or(rest.len());
        let inside = &rest[..close];
        let placeholders = !inside.is_empty()
            && inside
                .chars()
                .all(|c| matches!(c, '$' | '?' | ',' | ' ') || c.is_ascii_digit())
            && inside.contains(['$', '?']);
        if placeholders {
            short.push_str("..");
            rest = &rest[close..];
        }
    }
    short.push_str(rest);
    while short.contains("(..), (..)") {
        short = short.replace("(..), (..)", "(..)");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_decides() {
        for (sql, expected) in [
            ("select 1", StatementKind::Read),
            ("  -- note\n /* more */ SELECT 1", StatementKind::Read),
            ("(SELECT 1) UNION (SELECT 2)", StatementKind::Read),
            ("with x as (select 1) select * from x", StatementKind::Read),
            ("INSERT INTO a VALUES (1)", StatementKind::Write),
            ("PRAGMA query_only = off", StatementKind::Write),
            (
                "SET default_transaction_read_only = off",
                StatementKind::Write,
            ),
            ("/* unfinished", StatementKind::Write),
            ("selection", StatementKind::Write),
            ("", StatementKind::Write),
            ("commit", StatementKind::Transaction),
            ("COMMIT; SELECT 1", StatementKind::Transaction),
        ] {
            assert_eq!(classify(sql), expected, "{sql}");
        }
    }

    #[test]
    fn lists_of_placeholders_do_not_count() {
        assert_eq!(
            statement_shape("SELECT *\n  FROM a WHERE id IN ($1, $2,  $3)"),
            "SELECT * FROM a WHERE id IN (..)"
        );
        assert_eq!(
            statement_shape("INSERT INTO a (x) VALUES (?, ?), (?, ?), (?, ?)"),
            "INSERT INTO a (x) VALUES (..)"
        );
        assert_eq!(
            statement_shape("SELECT count(*) FROM a WHERE x = $1 AND (y = 2)"),
            "SELECT count(*) FROM a WHERE x = $1 AND (y = 2)"
        );
    }
}
