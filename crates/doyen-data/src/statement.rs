//! What can be seen in the text of a statement without parsing it.
//!
//! This is for clear messages, not for safety: what a session may do is enforced by the database itself.

/// What a statement begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// SELECT and the like; the database has the last word.
    Reads,
    /// BEGIN, COMMIT, SAVEPOINT ...: the session's own business.
    Transaction,
    /// Everything else.
    Writes,
}

pub(crate) fn sort(sql: &str) -> Sort {
    // Most statements, without a look at each of their characters.
    if let Some((word, rest)) = sql.as_bytes().split_at_checked(6)
        && word.eq_ignore_ascii_case(b"SELECT")
        && !rest.first().is_some_and(u8::is_ascii_alphabetic)
    {
        return Sort::Reads;
    }
    let word = first_word(sql);
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(&["SELECT", "WITH", "VALUES", "EXPLAIN", "SHOW", "TABLE", "("]) {
        Sort::Reads
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
        Sort::Transaction
    } else {
        Sort::Writes
    }
}

/// The first word, past white space and comments; an opening parenthesis counts as a word.
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

/// The text with what varies between two uses of one statement taken out: lists of placeholders and runs of white space.
pub(crate) fn normalise(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for word in sql.split_ascii_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    // `IN ($1, $2, $3)` and `IN ($1)` are the same question; so is `VALUES (..), (..)`.
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
            ("select 1", Sort::Reads),
            ("  -- note\n /* more */ SELECT 1", Sort::Reads),
            ("(SELECT 1) UNION (SELECT 2)", Sort::Reads),
            ("with x as (select 1) select * from x", Sort::Reads),
            ("INSERT INTO a VALUES (1)", Sort::Writes),
            ("PRAGMA query_only = off", Sort::Writes),
            ("SET default_transaction_read_only = off", Sort::Writes),
            ("/* unfinished", Sort::Writes),
            ("selection", Sort::Writes),
            ("", Sort::Writes),
            ("commit", Sort::Transaction),
            ("COMMIT; SELECT 1", Sort::Transaction),
        ] {
            assert_eq!(sort(sql), expected, "{sql}");
        }
    }

    #[test]
    fn lists_of_placeholders_do_not_count() {
        assert_eq!(
            normalise("SELECT *\n  FROM a WHERE id IN ($1, $2,  $3)"),
            "SELECT * FROM a WHERE id IN (..)"
        );
        assert_eq!(
            normalise("INSERT INTO a (x) VALUES (?, ?), (?, ?), (?, ?)"),
            "INSERT INTO a (x) VALUES (..)"
        );
        assert_eq!(
            normalise("SELECT count(*) FROM a WHERE x = $1 AND (y = 2)"),
            "SELECT count(*) FROM a WHERE x = $1 AND (y = 2)"
        );
    }
}
