//! A strict JSON parser.
//!
//! It refuses duplicate names in an object (two programs would use different values), text after
//! the document, invalid UTF-8, unpaired surrogates, numbers beyond a double, an empty body, and
//! documents with too much nesting or too many values.
//!
//! Text without escapes is borrowed from the body. Whole numbers from `i64::MIN` to `u64::MAX` are
//! exact. A number with a fraction or an exponent, or outside of this range, is a double, as in
//! most JSON parsers.
//!
//! ```
//! use doyen_schema::input::json::{Limits, parse};
//!
//! let error = parse(br#"{"a": 1, "a": 2}"#, &Limits::default()).unwrap_err();
//! assert_eq!(error.to_string(), "the name at /a is repeated in its object (line 1, column 12)");
//! ```

mod error;
mod name;
mod seed;

use serde::de::DeserializeSeed as _;

pub use error::{JsonError, Reason};

use super::Value;
use seed::{Seed, State};

/// Limits of a document. Its size in bytes is limited where the body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum nesting of lists and objects. Default 64, at most 120.
    pub depth: usize,
    /// Maximum number of values. Default 100,000: a small body can expand into much memory.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            values: 100_000,
        }
    }
}

/// Parses a document.
///
/// # Errors
///
/// Returns an error if it is not JSON or exceeds a limit.
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, JsonError> {
    if bytes.is_empty() {
        return Err(JsonError {
            reason: Reason::Empty,
            line: 1,
            column: 1,
        });
    }
    let state = State::new(limits);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    // serde_json fails at 128 levels with its own error; this limit must apply first.
    let seed = Seed {
        state: &state,
        depth: limits.depth.min(120),
    };
    let read = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| state.explain(&error))
}

#[cfg(test)]
mod tests;
