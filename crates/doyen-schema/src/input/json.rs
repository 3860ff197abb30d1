//! JSON, strictly: one reading of every document, or none.
//!
//! Refused as malformed: a name that comes twice in an object (two programs would pick two different values), anything after the
//! document, invalid UTF-8, half a surrogate pair, numbers beyond a double, an empty body, and documents that are too deep or hold too
//! many values to be honest.
//!
//! Text is borrowed from the body where it has no escapes. Whole numbers from `i64::MIN` to `u64::MAX` are exact. A number with a
//! fraction or an exponent, or beyond these ends, is read as a double, as most JSON readers do.
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

/// How much structure a document may have. Its size in bytes is limited where the body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep lists and objects may be nested. 64 by default; more than 120 is not read.
    pub depth: usize,
    /// How many values there may be in all. 100,000 by default: a small body can unfold into much memory.
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

/// Reads a document.
///
/// # Errors
///
/// It is not JSON, or not JSON within the limits.
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
    // serde_json gives up at 128 levels with an error of its own; ours must come first.
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
