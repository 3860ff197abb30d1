//! Limits of text.

use std::borrow::Cow;
use std::sync::Arc;

use doyen_core::{At, Beyond, Failures, Patch};
use serde_json::{Map, Value as Json};

use super::Num;
use super::tighten::{at_least, at_most};
use crate::Schema;

/// A type with text. `None` if there is no text.
#[diagnostic::on_unimplemented(
    message = "the rules `length`, `pattern`, `email` and `url` are for text, and `{Self}` is not text",
    label = "not text",
    note = "for a number use `range(..)`, for a list `items(..)`, for the items of a list `each(..)`",
    note = "for a type of your own, put the rule on its inner field, or implement `doyen::schema::rule::Text`"
)]
pub trait Text {
    /// Returns the text.
    fn text(&self) -> Option<&str>;
}

macro_rules! texts {
    ($($type:ty),*) => {$(
        impl Text for $type {
            fn text(&self) -> Option<&str> {
                Some(self)
            }
        }
    )*};
}

texts!(str, String, Arc<str>, Box<str>, Cow<'_, str>);

impl<T: Text> Text for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref()?.text()
    }
}

impl<T: Text> Text for Patch<T> {
    fn text(&self) -> Option<&str> {
        self.as_option()?.text()
    }
}

impl<T: Text> Text for Box<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().text()
    }
}

/// Limits of the length of text. Characters are Unicode scalar values, as in JSON Schema.
#[derive(Clone, Copy, Debug, Default)]
pub struct Length {
    /// Minimum.
    pub min: Option<usize>,
    /// Maximum.
    pub max: Option<usize>,
}

impl Length {
    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        let Some(text) = value.text() else { return };
        let length = text.chars().count();
        let beyond = match beyond(length, self.min, self.max) {
            None => return,
            Some(Beyond::Min) if text.chars().all(char::is_whitespace) => Beyond::Blank,
            Some(beyond) => beyond,
        };
        amount((self.min, self.max), beyond, "length", "character", at, out);
    }

    /// Writes the limits into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        if let Some(min) = self.min {
            at_least(schema, "minLength", Num::Int(min as i128));
        }
        if let Some(max) = self.max {
            at_most(schema, "maxLength", Num::Int(max as i128));
        }
    }
}

/// Returns the limit that a number is beyond, or `None` if it is within both.
pub(super) fn beyond(found: usize, min: Option<usize>, max: Option<usize>) -> Option<Beyond> {
    if min.is_some_and(|min| found < min) {
        return Some(Beyond::Min);
    }
    max.is_some_and(|max| found > max).then_some(Beyond::Max)
}

/// Records a wrong number of characters or items.
pub(super) fn amount(
    (min, max): (Option<usize>, Option<usize>),
    beyond: Beyond,
    code: &'static str,
    what: &str,
    at: &At<'_>,
    out: &mut Failures,
) {
    let many = |n: usize| {
        if n == 1 {
            format!("1 {what}")
        } else {
            format!("{n} {what}s")
        }
    };
    let message = match (min, max) {
        (Some(min), Some(max)) if min == max => format!("must have {}", many(min)),
        (Some(min), Some(max)) => format!("must have {min} to {}", many(max)),
        (Some(min), None) => format!("must have at least {}", many(min)),
        (None, Some(max)) => format!("must have at most {}", many(max)),
        (None, None) => return,
    };
    let limits = [("min", min), ("max", max)];
    let params: Map<String, Json> = limits
        .into_iter()
        .filter_map(|(name, limit)| Some((name.to_owned(), limit?.into())))
        .collect();
    at.fail_beyond(out, code, message, params, Some(beyond));
}

#[cfg(test)]
mod tests {
    use doyen_core::Place;

    use super::*;

    fn codes(check: impl FnOnce(&At<'_>, &mut Failures)) -> Vec<&'static str> {
        let mut out = Failures::new();
        check(&At::root(Place::Body), &mut out);
        out.iter().map(|failure| failure.code).collect()
    }

    #[test]
    fn length_counts_characters() {
        let rule = Length {
            min: Some(2),
            max: Some(3),
        };
        assert!(codes(|at, out| rule.check("äöü", at, out)).is_empty());
        assert!(codes(|at, out| rule.check("🎈🎈", at, out)).is_empty());
        assert_eq!(codes(|at, out| rule.check("äöüß", at, out)), ["length"]);
        assert!(codes(|at, out| rule.check(&None::<String>, at, out)).is_empty());
        assert_eq!(
            codes(|at, out| rule.check(&Patch::Set(Some(String::new())), at, out)),
            ["length"]
        );
    }

    #[test]
    fn blank_is_told_apart_from_too_short() {
        let rule = Length {
            min: Some(3),
            max: Some(4),
        };
        let of = |text: &str| {
            let mut out = Failures::new();
            rule.check(text, &At::root(Place::Body), &mut out);
            out.pop().map(|failure| failure.beyond)
        };
        assert_eq!(of(""), Some(Some(Beyond::Blank)));
        assert_eq!(of(" \u{a0}"), Some(Some(Beyond::Blank)));
        assert_eq!(of("a"), Some(Some(Beyond::Min)));
        assert_eq!(of("abcde"), Some(Some(Beyond::Max)));
        assert_eq!(of("    "), None);
    }
}
