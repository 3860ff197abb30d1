//! Translates regular expressions from ECMA-262, which JSON Schema uses, to the `regex` crate,
//! which runs the check.
//!
//! `\d`, `\w`, `\s` and `.` match different characters in the two and are expanded. Syntax that
//! only one of them has is rejected at compile time, with a replacement.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// A regular expression in both syntaxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Regex {
    /// As written, for the schema.
    pub(crate) shown: String,
    /// For the `regex` crate.
    pub(crate) run: String,
    /// True if no matching string contains the NUL character.
    pub(crate) no_nul: bool,
}

/// The characters of `\s` in ECMA-262: white space and line terminators.
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// Translates and validates an expression.
pub(crate) fn translate(shown: &str) -> Result<Regex, String> {
    let run = Translation {
        rest: shown.chars().collect::<Vec<_>>().into_iter().peekable(),
        out: String::new(),
        class: false,
    }
    .run()?;
    let hir = regex_syntax::Parser::new()
        .parse(&run)
        .map_err(|error| explain(&error))?;
    Ok(Regex {
        shown: shown.to_owned(),
        no_nul: no_nul(&hir),
        run,
    })
}

fn explain(error: &regex_syntax::Error) -> String {
    let reason = match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    };
    format!("not a valid expression: {reason}")
}

struct Translation {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    out: String,
    class: bool,
}

impl Translation {
    fn run(mut self) -> Result<String, String> {
        while let Some(letter) = self.rest.next() {
            match letter {
                '\\' => self.escape()?,
                '[' if self.class => self.out.push_str("\\["),
                '[' => self.open()?,
                ']' if self.class => {
                    self.class = false;
                    self.out.push(']');
                }
                // Two of these are a set operation in the `regex` crate, and literals in ECMA-262.
                '&' | '~' if self.class => self.out.extend(['\\', letter]),
                '-' if self.class && self.rest.peek() == Some(&'-') => {
                    return Err("write `\\-` for a hyphen next to a hyphen".into());
                }
                '.' if !self.class => self.out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
                '(' if !self.class && self.rest.peek() == Some(&'?') => self.group()?,
                ']' => return Err("write `\\]` for an unmatched bracket".into()),
                other => self.out.push(other),
            }
        }
        Ok(self.out)
    }

    fn open(&mut self) -> Result<(), String> {
        self.class = true;
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
        }
        // An empty class in ECMA-262, a class that contains `]` in the `regex` crate.
        if self.rest.peek() == Some(&']') {
            Err("write `\\]` for a bracket at the start of a class".into())
        } else {
            Ok(())
        }
    }

    fn group(&mut self) -> Result<(), String> {
        self.rest.next();
        match self.rest.next() {
            Some(':') => self.out.push_str("(?:"),
            Some('=' | '!' | '<') => {
                return Err("look-ahead, look-behind and named groups are not supported: use a custom rule, or `(?:...)` for a group".into());
            }
            _ => {
                return Err(
                    "flags such as `(?i)` are not ECMA-262: write the letters out, as in `[Aa]`"
                        .into(),
                );
            }
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(letter) = self.rest.next() else {
            return Err("a trailing `\\`: write `\\\\` for a literal backslash".into());
        };
        match letter {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            's' => self.out.extend(["[", SPACE, "]"]),
            'S' => self.out.extend(["[^", SPACE, "]"]),
            'b' | 'B' => {
                return Err(
                    "implementations disagree on `\\b`: list the allowed characters instead".into(),
                );
            }
            'n' | 'r' | 't' | 'f' | 'v' => self.out.extend(['\\', letter]),
            'x' if self.rest.peek() == Some(&'{') => {
                return Err("`\\x{..}` is not ECMA-262: write `\\u{..}`".into());
            }
            'x' | 'u' => self.out.extend(['\\', letter]),
            '0' if !self.rest.peek().is_some_and(char::is_ascii_digit) => {
                self.out.push_str("\\x00")
            }
            '-' if self.class => self.out.push_str("\\-"),
            '/' => self.out.push('/'),
            '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => {
                self.out.extend(['\\', letter])
            }
            '1'..='9' => return Err("back references are not supported: use a custom rule".into()),
            'p' | 'P' => {
                return Err(
                    "Unicode properties are not supported: write the ranges out, as in `[a-zà-ÿ]`"
                        .into(),
                );
            }
            'A' => return Err("`\\A` is not ECMA-262: write `^`".into()),
            'z' | 'Z' => return Err("`\\z` is not ECMA-262: write `$`".into()),
            other => {
                return Err(format!(
                    "`\\{other}` is not ECMA-262: write `{other}` alone"
                ));
            }
        }
        Ok(())
    }
}

/// Returns true if the expression is anchored at both ends and cannot match NUL.
fn no_nul(hir: &Hir) -> bool {
    let properties = hir.properties();
    properties.look_set_prefix().contains(Look::Start)
        && properties.look_set_suffix().contains(Look::End)
        && !can_be_nul(hir)
}

fn can_be_nul(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.contains(&0),
        HirKind::Class(Class::Unicode(class)) => class.iter().any(|range| range.start() == '\0'),
        HirKind::Class(Class::Bytes(class)) => class.iter().any(|range| range.start() == 0),
        HirKind::Repetition(repetition) => can_be_nul(&repetition.sub),
        HirKind::Capture(capture) => can_be_nul(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(can_be_nul),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_translated() {
        let run = |shown| translate(shown).map(|regex| regex.run);
        assert_eq!(run(r"^\d+$").as_deref(), Ok("^[0-9]+$"));
        assert_eq!(run(r"^[\w-]+$").as_deref(), Ok("^[[0-9A-Za-z_]-]+$"));
        assert_eq!(run(r"^.$").as_deref(), Ok(r"^[^\n\r\u{2028}\u{2029}]$"));
        assert_eq!(run(r"^[.&&[]$").as_deref(), Ok(r"^[.\&\&\[]$"));
        assert_eq!(
            run(r"^a\/b\-?$"),
            Err("`\\-` is not ECMA-262: write `-` alone".into())
        );
    }

    #[test]
    fn expressions_without_equivalent_are_refused_with_a_remedy() {
        for (shown, hint) in [
            ("(?i)a", "write the letters out"),
            ("(?=a)b", "custom rule"),
            ("(?P<n>a)", "write the letters out"),
            (r"\Aa\z", "write `^`"),
            (r"(a)\1", "custom rule"),
            (r"\p{L}", "write the ranges out"),
            (r"\_", "write `_` alone"),
            (r"a\b", "list the allowed characters"),
            ("a]", "write `\\]`"),
            ("[a--b]", "write `\\-`"),
            ("[a", "not a valid expression"),
            ("(a", "not a valid expression"),
            ("a{2,1}", "not a valid expression"),
            ("*", "not a valid expression"),
            ("a\\", "write `\\\\`"),
        ] {
            let error = translate(shown).unwrap_err();
            assert!(error.contains(hint), "{shown}: {error}");
        }
    }

    #[test]
    fn nul_is_found_where_it_can_be() {
        let no_nul = |shown| translate(shown).unwrap().no_nul;
        assert!(no_nul("^[a-z0-9-]{1,32}$"));
        assert!(no_nul("^(?:a|b)+$"));
        assert!(no_nul("^(?:a$|^b$)"), "both ways are anchored");
        for open in [
            "^[a-z]+", "[a-z]+$", "^[^a]$", r"^\D$", "^.*$", r"^\x00$", "^a$|b",
        ] {
            assert!(!no_nul(open), "{open}");
        }
    }
}
