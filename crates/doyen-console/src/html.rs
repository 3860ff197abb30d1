//! Escaping text for HTML, so that no caller's word becomes markup.

use std::fmt::Write as _;

/// Escapes `text` for element content and for double-quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Turns plain text into paragraphs. A blank line separates two of them, and
/// a pair of backticks marks code. Nothing else has a meaning.
pub(crate) fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    for block in text.split("\n\n").map(str::trim) {
        if !block.is_empty() {
            let _ = writeln!(out, "<p>{}</p>", inline(block));
        }
    }
    out
}

/// Escapes one paragraph and marks its code spans. A backtick without a
/// partner stays a backtick.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::with_capacity(text.len());
    for (index, part) in parts.iter().enumerate() {
        let is_code = index % 2 == 1;
        let is_closed = index + 1 < parts.len();
        if is_code && is_closed {
            let _ = write!(out, "<code>{}</code>", escape(part));
        } else {
            if is_code {
                out.push('`');
            }
            out.push_str(&escape(part));
        }
    }
    out
}

/// Puts a prefix before the links of a page to `/docs` and its assets. Texts of the page are
/// escaped, so that only attributes match.
pub(crate) fn with_root(page: String, root: &str) -> String {
    match root {
        "" => page,
        root => page.replace("=\"/docs", &format!("=\"{root}/docs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_escaped() {
        assert_eq!(
            escape(r#"<a href="x" class='y'>&</a>"#),
            "&lt;a href=&quot;x&quot; class=&#39;y&#39;&gt;&amp;&lt;/a&gt;"
        );
    }

    #[test]
    fn blank_lines_make_paragraphs_and_backticks_make_code() {
        assert_eq!(
            paragraphs("Send `If-Match`.\n\nThen `try <again>`."),
            "<p>Send <code>If-Match</code>.</p>\n<p>Then <code>try &lt;again&gt;</code>.</p>\n"
        );
    }

    #[test]
    fn a_lone_backtick_stays() {
        assert_eq!(paragraphs("a `b"), "<p>a `b</p>\n");
        assert_eq!(paragraphs("`a` b `c"), "<p><code>a</code> b `c</p>\n");
    }

    #[test]
    fn empty_text_makes_no_paragraph() {
        assert_eq!(paragraphs(" \n\n "), "");
    }
}
