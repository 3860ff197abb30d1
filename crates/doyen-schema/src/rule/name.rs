//! Names that people read.

use doyen_core::{At, Failures};

use super::{Pattern, Text};
use crate::Schema;

// Control characters, line separators, and overrides of the text direction.
macro_rules! forbidden {
    () => {
        r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
    };
}

// Spaces and characters without a glyph. They may stand in a name, but do not make one.
macro_rules! blank {
    () => {
        concat!(
            r" \u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u202f",
            r"\u205f-\u2065\u206a-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
        )
    };
}

macro_rules! display_name {
    () => {
        concat!(
            "^(?:[",
            blank!(),
            "]*[^",
            forbidden!(),
            blank!(),
            "][^",
            forbidden!(),
            "]*)?$"
        )
    };
}

static DISPLAY_NAME: Pattern = Pattern::new(display_name!(), display_name!(), true).says(
    "display_name",
    "must have a visible character, and no control characters or overrides of the text direction",
);

// The characters that ECMA-262 and JSON Schema count as white space (`\s`).
macro_rules! not_blank {
    () => {
        r"[^\u0009-\u000d\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
    };
}

static NOT_BLANK: Pattern =
    Pattern::new(not_blank!(), not_blank!(), false).says("blank", "must not be blank");

/// Text with a character other than white space. `length(min = 1)` accepts a space.
#[derive(Clone, Copy, Debug)]
pub struct NotBlank;

impl NotBlank {
    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        NOT_BLANK.check(value, at, out);
    }

    /// Writes the pattern into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        NOT_BLANK.describe(schema);
    }
}

/// A name that people read: on one line, visible, and in the order in which it is written.
///
/// A line break forges a line of a log or mail, an override of the text direction (U+202E) shows
/// `exe.txt` for another name, and a name of zero-width characters shows nothing. Joiners, which
/// some scripts and emoji need, are allowed between other characters. Whether a name may be empty
/// is for `length` to say.
#[derive(Clone, Copy, Debug)]
pub struct DisplayName;

impl DisplayName {
    /// True for such a name, and for an empty text.
    pub fn matches(&self, text: &str) -> bool {
        DISPLAY_NAME.matches(text)
    }

    /// Checks text.
    pub fn check<T: Text + ?Sized>(&self, value: &T, at: &At<'_>, out: &mut Failures) {
        DISPLAY_NAME.check(value, at, out);
    }

    /// Writes the pattern into the schema.
    pub fn describe(&self, schema: &mut Schema) {
        DISPLAY_NAME.describe(schema);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_visible_and_on_one_line() {
        for good in [
            "Ada",
            " Ada  Lovelace ",
            "نگار",
            "",
            "می\u{200c}خواهم",
            "\u{200f}עדה",
            "👩\u{200d}🚀",
            "佐藤\u{3000}花子",
            "\u{200b}x",
        ] {
            assert!(DisplayName.matches(good), "{good:?}");
        }
        for bad in [
            " ",
            "\u{a0}\u{3000}",
            "\u{200b}",
            "\u{200b}\u{200d}\u{feff}\u{2060}",
            "\u{3164}",
            "a\nb",
            "a\tb",
            "a\0",
            "a\u{7f}",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202e}txt.exe",
            "\u{2066}a\u{2069}",
            "a\u{200b}\n",
        ] {
            assert!(!DisplayName.matches(bad), "{bad:?}");
        }
    }
}
