//! Parses objects, enumerated values and tagged enums.

use doyen_core::{At, Failures, Place, UnknownNames};
use serde_json::{Map, json};

use crate::input::{Input, MAX_FAILURES, Value};

/// The values of an object, each in the slot of its field.
pub struct Fields<'v, const N: usize>([Option<Value<'v>>; N]);

impl<'v, const N: usize> Fields<'v, N> {
    /// Assigns the values of an object to slots. Records a value that is not an object, and unknown
    /// fields unless `open`.
    pub fn open(
        value: Value<'v>,
        names: &[&str; N],
        open: bool,
        at: &At<'_>,
        out: &mut Failures,
    ) -> Option<Self> {
        let Value::Map(entries) = value else {
            value.refuse("object", "an object", at, out);
            return None;
        };
        let mut slots = [const { None }; N];
        for (name, value) in entries {
            match names.iter().position(|known| *known == name) {
                Some(slot) => slots[slot] = Some(value),
                None if open || out.len() >= MAX_FAILURES => {}
                None => match out.strictness().unknown() {
                    UnknownNames::Refuse => unknown(&name, names, at, out),
                    UnknownNames::Ignore => {}
                    UnknownNames::Warn => out.ignore(at.field(&name).pointer()),
                },
            }
        }
        Some(Self(slots))
    }

    /// Takes the value of a field.
    pub fn take(&mut self, slot: usize) -> Option<Value<'v>> {
        self.0[slot].take()
    }
}

fn unknown(name: &str, names: &[&str], at: &At<'_>, out: &mut Failures) {
    let mut params = Map::new();
    let message = match nearest(name, names) {
        Some(near) => {
            params.insert("nearest".into(), near.into());
            format!("is not a known field; did you mean `{near}`?")
        }
        None => "is not a known field".to_owned(),
    };
    at.field(name)
        .fail_with(out, "unknown_field", message, params);
}

/// Returns the known name that is closest to an unknown one, if it is close.
fn nearest<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    // The cost of the distance grows with both lengths; a long name is no typing error.
    if name.len() > 64 {
        return None;
    }
    let distances = names
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known));
    distances
        .min()
        .filter(|(distance, known)| *distance <= (known.len() / 3).max(1))
        .map(|(_, known)| known)
}

/// Records a missing field.
pub fn required<T>(at: &At<'_>, out: &mut Failures) -> Option<T> {
    at.fail(out, "required", "is required");
    None
}

/// Returns true for an optional field of a form that was left empty, unless empty text is a value
/// of the field. `optional` is true for a field with a default.
pub fn left_empty<T: Input>(
    value: &Value<'_>,
    optional: bool,
    at: &At<'_>,
    out: &Failures,
) -> bool {
    // In a body, only a form has text without a type.
    matches!(value, Value::Text(text) if text.is_empty())
        && at.place() == Place::Body
        && (out.strictness().drops_empty()
            || (optional || !T::REQUIRED)
                && T::parse(value.clone(), at, &mut Failures::new()).is_none())
}

/// Reads text with the type's own function.
pub fn from_text<T, E: std::fmt::Display>(
    text: String,
    read: impl FnOnce(&str) -> Result<T, E>,
    code: &'static str,
    at: &At<'_>,
    out: &mut Failures,
) -> Option<T> {
    match read(&text) {
        Ok(value) => Some(value),
        Err(error) => {
            at.fail(out, code, error.to_string());
            None
        }
    }
}

/// Parses an enumerated value. Returns its index.
pub fn choice(value: Value<'_>, words: &[&str], at: &At<'_>, out: &mut Failures) -> Option<usize> {
    let Some(text) = value.as_text() else {
        value.refuse("string", "text", at, out);
        return None;
    };
    let found = words.iter().position(|word| *word == text);
    if found.is_none() {
        not_one_of(words, at, out);
    }
    found
}

fn not_one_of(words: &[&str], at: &At<'_>, out: &mut Failures) {
    let list = words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let params = Map::from_iter([("allowed".to_owned(), json!(words))]);
    at.fail_with(out, "one_of", format!("must be one of {list}"), params);
}

/// Takes the tag out of an object. Returns the index of the variant, and the object without the
/// tag.
pub fn tagged<'v>(
    value: Value<'v>,
    tag: &str,
    words: &[&str],
    at: &At<'_>,
    out: &mut Failures,
) -> Option<(usize, Value<'v>)> {
    let Value::Map(mut entries) = value else {
        value.refuse("object", "an object", at, out);
        return None;
    };
    let here = at.field(tag);
    let Some(place) = entries.iter().position(|(name, _)| name == tag) else {
        here.fail(out, "required", "is required");
        return None;
    };
    let (_, word) = entries.remove(place);
    let index = choice(word, words, &here, out)?;
    Some((index, Value::Map(entries)))
}

/// Keeps the shorter list of failures.
pub fn fewer(least: &mut Option<Failures>, own: Failures) {
    if least.as_ref().is_none_or(|least| own.len() < least.len()) {
        *least = Some(own);
    }
}

/// Records the failures of the type that fits a value best.
pub fn no_variant<T>(least: Option<Failures>, out: &mut Failures) -> Option<T> {
    out.append(least.unwrap_or_default());
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["quantity", "sku"];
        assert_eq!(nearest("quantty", &names), Some("quantity"));
        assert_eq!(nearest("skuu", &names), Some("sku"));
        assert_eq!(nearest("colour", &names), None);
        assert_eq!(nearest(&"q".repeat(100), &names), None);
    }
}
