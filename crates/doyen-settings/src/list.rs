//! Optional settings, and lists.

use std::cmp::Ordering;

use crate::{Raw, Setting, Wrong, file};

/// `None` if it is not set. An empty variable is `None` too, so that it can remove a value of a
/// file.
impl<T: Setting> Setting for Option<T> {
    const SECRET: bool = T::SECRET;
    const OPTIONAL: bool = true;

    fn kind() -> String {
        T::kind()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        match raw {
            Raw::Word(word) if word.is_empty() => Ok(None),
            raw => T::read(raw).map(Some),
        }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn compare(&self, limit: &str) -> Option<Ordering> {
        // A missing value violates no limit.
        self.as_ref()
            .map_or(Some(Ordering::Equal), |value| value.compare(limit))
    }
}

/// A TOML list. A variable holds a JSON array, or values separated by commas; an empty variable is
/// the empty list.
impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn kind() -> String {
        format!("list of {}", T::kind())
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let each = |item: &Raw| {
            T::read(item)
                .map_err(|wrong| Wrong::must_be(format!("a list, and each item of it {wrong}")))
        };
        match raw {
            Raw::List(items) => items.iter().map(each).collect(),
            Raw::Word(word) if is_array(word) => match file::value(word) {
                Some(Raw::List(items)) => items.iter().map(each).collect(),
                _ => Err(Wrong::must_be("a list such as `a,b` or `[\"a\", \"b\"]`")),
            },
            Raw::Word(word) => {
                let words = word
                    .split(',')
                    .map(str::trim)
                    .filter(|word| !word.is_empty());
                words
                    .map(|word| each(&Raw::Word(word.to_owned())))
                    .collect()
            }
            _ => Err(Wrong::must_be("a list: write `[...]` around it")),
        }
    }
}

/// True for `["a"]`, also if its end is missing, but not for the address `[::1]:8000`.
fn is_array(word: &str) -> bool {
    let word = word.trim();
    word.strip_prefix('[')
        .is_some_and(|rest| rest.ends_with(']') || rest.trim_start().starts_with(['"', '\'', ']']))
}
