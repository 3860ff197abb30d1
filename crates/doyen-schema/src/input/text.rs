//! Names and values in text: `a=1&b=two`.
//!
//! Each name and value is percent-decoded once. Invalid encodings are refused: `%zz`, a lone `%`,
//! and bytes that are not UTF-8. Repeated names become a list.
//!
//! ```
//! use doyen_schema::input::text;
//!
//! let value = text::query("tag=a&tag=b&q=two+words").unwrap();
//! assert_eq!(value.into_json(), serde_json::json!({"tag": ["a", "b"], "q": "two words"}));
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use doyen_core::{Kind, Problem, ProblemInfo};

use super::Value;

/// Maximum number of `name=value` pairs.
pub const MAX_PAIRS: usize = 1_000;

/// The reason why text is not a list of names and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// A `%` that is not followed by two hexadecimal digits.
    Percent,
    /// Bytes that are not UTF-8.
    Utf8,
    /// More than [`MAX_PAIRS`] pairs.
    TooMany,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::Percent => f.write_str("a `%` is not followed by two hexadecimal digits"),
            TextError::Utf8 => f.write_str("the text is not UTF-8"),
            TextError::TooMany => write!(f, "there are more than {MAX_PAIRS} parameters"),
        }
    }
}

impl std::error::Error for TextError {}

static MALFORMED: ProblemInfo = ProblemInfo {
    code: "malformed_parameters",
    kind: Kind::Malformed,
    title: "Malformed Parameters",
    description: "The path, the query string or the form cannot be decoded. `detail` says why. Correct the encoding.",
};

#[diagnostic::do_not_recommend]
impl Problem for TextError {
    fn info(&self) -> &'static ProblemInfo {
        &MALFORMED
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&MALFORMED]
    }

    fn detail(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Parses a query string, without the `?`.
///
/// # Errors
///
/// Returns an error if it cannot be decoded.
pub fn query(raw: &str) -> Result<Value<'_>, TextError> {
    form(raw.as_bytes())
}

/// Parses a body of type `application/x-www-form-urlencoded`.
///
/// # Errors
///
/// Returns an error if it cannot be decoded.
pub fn form(raw: &[u8]) -> Result<Value<'_>, TextError> {
    let mut pairs = Vec::new();
    for pair in raw
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        if pairs.len() == MAX_PAIRS {
            return Err(TextError::TooMany);
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default();
        let value = halves.next().unwrap_or_default();
        pairs.push((unescape(name, true)?, unescape(value, true)?));
    }
    Ok(collect(pairs))
}

/// Percent-decodes a segment of a path, once. A `+` stays a `+`.
///
/// # Errors
///
/// Returns an error if it cannot be decoded.
pub fn segment(raw: &str) -> Result<Cow<'_, str>, TextError> {
    unescape(raw.as_bytes(), false)
}

/// Combines names and values into one value: a single name has text, a repeated one has a list.
pub fn collect<'a>(pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Value<'a> {
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    let mut entries: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    for (name, value) in pairs {
        let value = Value::Text(value);
        match places.get(&name) {
            Some(place) => add(&mut entries[*place].1, value),
            None => {
                places.insert(name.clone(), entries.len());
                entries.push((name, value));
            }
        }
    }
    Value::Map(entries)
}

fn add<'a>(present: &mut Value<'a>, value: Value<'a>) {
    match present {
        Value::List(items) => items.push(value),
        single => {
            let first = std::mem::replace(single, Value::Null);
            *single = Value::List(vec![first, value]);
        }
    }
}

fn unescape(raw: &[u8], plus: bool) -> Result<Cow<'_, str>, TextError> {
    if !raw
        .iter()
        .any(|byte| *byte == b'%' || (plus && *byte == b'+'))
    {
        return std::str::from_utf8(raw)
            .map(Cow::Borrowed)
            .map_err(|_| TextError::Utf8);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'%' => {
                let [high, low, after @ ..] = after else {
                    return Err(TextError::Percent);
                };
                bytes.push(digit(*high)? << 4 | digit(*low)?);
                rest = after;
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| TextError::Utf8)
}

fn digit(byte: u8) -> Result<u8, TextError> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(TextError::Percent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_decoded_once() {
        let read = |raw| query(raw).unwrap().into_json();
        assert_eq!(
            read("a=1&b=%2541&c&d=&=e&&f=x=y"),
            json!({"a": "1", "b": "%41", "c": "", "d": "", "": "e", "f": "x=y"})
        );
        assert_eq!(read("%61=1&a=2&a=3"), json!({"a": ["1", "2", "3"]}));
        assert_eq!(read(""), json!({}));
        assert_eq!(segment("a+b%20c").unwrap(), "a+b c");
    }

    #[test]
    fn invalid_encodings_are_refused() {
        for raw in ["a=%", "a=%4", "a=%zz", "a=%+1", "%=1"] {
            assert_eq!(query(raw), Err(TextError::Percent), "{raw}");
        }
        for raw in ["a=%ff", "a=%c0%80", "a=%ed%a0%80"] {
            assert_eq!(query(raw), Err(TextError::Utf8), "{raw}");
        }
        assert_eq!(query(&"a=1&".repeat(1_001)), Err(TextError::TooMany));
        assert!(query(&"a=1&".repeat(1_000)).is_ok());
    }
}
