//! Regular expressions.

use std::sync::OnceLock;

use doyen_core::{At, Failures};
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::Text;
use crate::Schema;
use crate::input::NO_NUL;

/// A regular expression that must match somewhere in a text.
///
/// The schema has the expression as written, in ECMA-262 syntax; the check uses the syntax of the
/// `regex` crate (there `\d` would match the digits of every script). `#[validate(pattern = "..")]`
/// translates at compile time, and refuses expressions without an equivalent.
#[derive(Debug)]
pub struct Pattern {
    shown: &'static str,
    run: &'static str,
    /// True if no matching text contains NUL: then the general pattern for text is not needed.
    no_nul: bool,
    code: &'static str,
    message: Option<&'static str>,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Creates an expression with both syntaxes.
    pub const fn new(shown: &'static str, run: &'static str, no_nul: bool) -> Self {
        Self {
            shown,
            run,
            no_nul,
            code: "pattern",
            message: None,
            regex: OnceLock::new(),
        }
    }

    /// Sets code and message.
    #[must_use]
    pub const fn says(mut self, code: &'static str, message: &'static str) -> Self {
        self.code = code;
        self.message = Some(message);
        self
    }

    /// True if text matches. An invalid expression matches nothing; the macro refuses it before.
    pub fn matches(&self, text: &str) -> bool {
        self.regex
            .get_or_init(|| Regex::new(self.run).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }

    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        if value.text().is_some_and(|text| !self.matches(text)) {
            self.fail(at, out);
        }
    }

    pub(super) fn fail(&self, at: &At<'_>, out: &mut Failures) {
        match self.message {
            Some(message) => at.fail(out, self.code, message),
            None => {
                let params = Map::from_iter([("pattern".to_owned(), Json::from(self.shown))]);
                at.fail_with(
                    out,
                    self.code,
                    format!("must match the pattern {}", self.shown),
                    params,
                );
            }
        }
    }

    /// Writes the expression into the schema, in addition to an existing one.
    pub fn describe(&self, schema: &mut Schema) {
        match schema.get("pattern").and_then(Json::as_str) {
            Some(present) if present != NO_NUL || !self.no_nul => {
                let mut all = schema
                    .get("allOf")
                    .and_then(Json::as_array)
                    .cloned()
                    .unwrap_or_default();
                all.push(json!({"pattern": self.shown}));
                schema.set("allOf", all);
            }
            _ => schema.set("pattern", self.shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patterns_both_stand_in_the_schema() {
        let mut schema = Schema::of("string").with("pattern", NO_NUL);
        Pattern::new("^a", "^a", false).describe(&mut schema);
        assert_eq!(
            schema.as_json(),
            json!({"type": "string", "pattern": NO_NUL, "allOf": [{"pattern": "^a"}]})
        );

        let mut schema = Schema::of("string").with("pattern", NO_NUL);
        Pattern::new("^a$", "^a$", true).describe(&mut schema);
        assert_eq!(
            schema.as_json(),
            json!({"type": "string", "pattern": "^a$"})
        );
    }
}
