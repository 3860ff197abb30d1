//! Statements without their literals.
//!
//! Values are parameters, and these are never recorded. A statement that an application puts
//! together itself may contain values all the same.

/// Replaces the content of quoted literals by `?`. What follows an open quote, as in a text that
/// was cut, is removed.
pub(crate) fn without_literals(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '$']) {
        let (before, quoted) = rest.split_at(at);
        out.push_str(before);
        let Some(quote) = quote(quoted) else {
            // A placeholder such as `$1`.
            out.push('$');
            rest = &quoted[1..];
            continue;
        };
        out.push('?');
        let escapes = before.ends_with(['E', 'e']);
        rest = after(&quoted[quote.len()..], quote, escapes);
    }
    out.push_str(rest);
    out
}

/// Returns the quote at the start of a text: `'`, `$$` or `$name$`.
fn quote(text: &str) -> Option<&str> {
    if text.starts_with('\'') {
        return Some("'");
    }
    let end = text[1..].find('$')? + 1;
    let name = &text[1..end];
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    (is_name && !is_number).then(|| &text[..=end])
}

/// Returns what follows the closing quote. A doubled `'` is part of the literal.
fn after<'a>(mut text: &'a str, quote: &str, escapes: bool) -> &'a str {
    loop {
        let Some(at) = text.find(quote) else {
            return "";
        };
        let (inside, closing) = text.split_at(at);
        let backslashes = inside
            .bytes()
            .rev()
            .take_while(|byte| *byte == b'\\')
            .count();
        text = &closing[quote.len()..];
        if quote != "'" {
            return text;
        }
        if escapes && backslashes % 2 == 1 {
            continue;
        }
        match text.strip_prefix('\'') {
            Some(more) => text = more,
            None => return text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_replaced_and_placeholders_are_not() {
        for (sql, expected) in [
            (
                "SELECT 1 WHERE a = $1 AND b = $12",
                "SELECT 1 WHERE a = $1 AND b = $12",
            ),
            ("a = 'secret' AND b = ''", "a = ? AND b = ?"),
            ("a = 'it''s secret' OR c", "a = ? OR c"),
            (r"a = E'it\'s secret' OR c", "a = E? OR c"),
            (r"a = 'back\' OR c", "a = ? OR c"),
            ("a = $$secret's$$ OR $1", "a = ? OR $1"),
            ("a = $t$secret $$ s$t$ OR $2", "a = ? OR $2"),
            ("a = 'cut off secr", "a = ?"),
            ("a = $$cut off secr", "a = ?"),
            ("cut $", "cut $"),
            ("\"quoted\" = 'é' ", "\"quoted\" = ? "),
        ] {
            assert_eq!(without_literals(sql), expected, "{sql}");
        }
    }
}
