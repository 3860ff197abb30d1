//! JSON, strictly: one reading of every document, or none.
//!
//! Refused as malformed: a name that comes twice in an object (two programs would pick two different values), anything after the
//! document, invalid UTF-8, half a surrogate pair, numbers beyond a double, an empty body, and documents that are too deep or hold too
//! many values to be honest.
//!
//! Text is borrowed from the body where it has no escapes. Whole numbers from `i64::MIN` to `u64::MAX` are exact. A number with a
//! fraction or an exponent is read as a double, as most JSON readers do.
//!
//! ```
//! use doyen_schema::input::json::{Limits, parse};
//!
//! let error = parse(br#"{"a": 1, "a": 2}"#, &Limits::default()).unwrap_err();
//! assert_eq!(error.to_string(), "the name at /a is repeated in its object (line 1, column 12)");
//! ```

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use doyen_core::{Kind, Problem, ProblemInfo};
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::Value;

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

/// The reason why a body is rejected as JSON. It gives the position but never the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Reason of the error.
    pub reason: Reason,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in bytes, counted from 1.
    pub column: usize,
}

/// The reason of a JSON error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The body is empty.
    Empty,
    /// The body is not JSON.
    Syntax,
    /// The document ends before it is complete.
    Incomplete,
    /// A name occurs more than once in one object: the JSON Pointer of the second.
    DuplicateKey(String),
    /// The document is nested too deeply.
    TooDeep,
    /// The document contains too many values.
    TooManyValues,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::Empty => return f.write_str("the body is empty; JSON is expected"),
            Reason::Syntax => f.write_str("the body is not valid JSON")?,
            Reason::Incomplete => f.write_str("the JSON ends before it is complete")?,
            Reason::DuplicateKey(pointer) => {
                write!(f, "the name at {pointer} is repeated in its object")?
            }
            Reason::TooDeep => f.write_str("the JSON is nested too deeply")?,
            Reason::TooManyValues => f.write_str("the JSON contains too many values")?,
        }
        write!(f, " (line {}, column {})", self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

static MALFORMED: ProblemInfo = ProblemInfo {
    code: "malformed_json",
    kind: Kind::Malformed,
    title: "Malformed JSON",
    description: "The body is not valid JSON. `detail` gives the position of the error. Correct the body.",
};

static DUPLICATE: ProblemInfo = ProblemInfo {
    code: "duplicate_key",
    kind: Kind::Malformed,
    title: "Duplicate Name in JSON",
    description: "An object in the body contains a name more than once. `detail` says which. Send each name once.",
};

static TOO_DEEP: ProblemInfo = ProblemInfo {
    code: "too_deep",
    kind: Kind::Malformed,
    title: "JSON Too Deep",
    description: "The body nests arrays or objects too deeply. Reduce the nesting.",
};

static TOO_MANY: ProblemInfo = ProblemInfo {
    code: "too_many_values",
    kind: Kind::Malformed,
    title: "Too Many Values in JSON",
    description: "The body contains too many values. Split it into smaller requests.",
};

impl Problem for JsonError {
    fn info(&self) -> &'static ProblemInfo {
        match self.reason {
            Reason::Empty | Reason::Syntax | Reason::Incomplete => &MALFORMED,
            Reason::DuplicateKey(_) => &DUPLICATE,
            Reason::TooDeep => &TOO_DEEP,
            Reason::TooManyValues => &TOO_MANY,
        }
    }

    fn catalogue() -> Vec<&'static ProblemInfo> {
        vec![&MALFORMED, &DUPLICATE, &TOO_DEEP, &TOO_MANY]
    }

    fn detail(&self) -> Option<String> {
        Some(self.to_string())
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
    let state = State {
        values: Cell::new(limits.values),
        reason: RefCell::default(),
        path: RefCell::default(),
    };
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

/// What goes wrong is noted here: an error of serde can carry only text.
struct State {
    values: Cell<usize>,
    reason: RefCell<Option<Reason>>,
    path: RefCell<Vec<String>>,
}

impl State {
    fn stop<E: serde::de::Error>(&self, reason: Reason) -> E {
        self.reason.replace(Some(reason));
        E::custom("refused")
    }

    /// The error passes each level on its way out and gathers the pointer.
    fn passing(&self, step: impl FnOnce() -> String) {
        if matches!(*self.reason.borrow(), Some(Reason::DuplicateKey(_))) {
            self.path.borrow_mut().push(step());
        }
    }

    fn explain(self, error: &serde_json::Error) -> JsonError {
        let reason = match self.reason.into_inner() {
            Some(Reason::DuplicateKey(_)) => Reason::DuplicateKey(
                self.path
                    .into_inner()
                    .iter()
                    .rev()
                    .fold(String::new(), |pointer, step| pointer + "/" + step),
            ),
            Some(reason) => reason,
            None if error.is_eof() => Reason::Incomplete,
            None => Reason::Syntax,
        };
        JsonError {
            reason,
            line: error.line().max(1),
            column: error.column().max(1),
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'s> {
    state: &'s State,
    depth: usize,
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.state.stop(Reason::TooDeep)),
        }
    }

    fn count<E: serde::de::Error>(self) -> Result<(), E> {
        match self.state.values.get().checked_sub(1) {
            Some(left) => {
                self.state.values.set(left);
                Ok(())
            }
            None => Err(self.state.stop(Reason::TooManyValues)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value<'de>, D::Error> {
        self.count()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Int(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value<'de>, E> {
        if value.is_finite() {
            Ok(Value::Float(value))
        } else {
            Err(E::custom("number out of range"))
        }
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        loop {
            match access.next_element_seed(inner) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(Value::List(items)),
                Err(error) => {
                    self.state.passing(|| items.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut names = Names::default();
        let mut entries: Vec<(Cow<'de, str>, Value<'de>)> = Vec::new();
        while let Some(name) = access.next_key_seed(Name)? {
            if names.known(&name, &entries) {
                let error = self.state.stop(Reason::DuplicateKey(String::new()));
                self.state.passing(|| escaped(&name));
                return Err(error);
            }
            match access.next_value_seed(inner) {
                Ok(value) => entries.push((name, value)),
                Err(error) => {
                    self.state.passing(|| escaped(&name));
                    return Err(error);
                }
            }
        }
        Ok(Value::Map(entries))
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Finds names that come twice: by looking through few, by hash among many.
#[derive(Default)]
struct Names<'de>(HashSet<Cow<'de, str>>);

impl<'de> Names<'de> {
    const FEW: usize = 16;

    #[allow(clippy::ptr_arg, reason = "kept without a copy of borrowed text")]
    fn known(&mut self, name: &Cow<'de, str>, entries: &[(Cow<'de, str>, Value<'de>)]) -> bool {
        if entries.len() < Self::FEW {
            return entries.iter().any(|(known, _)| known == name);
        }
        if self.0.is_empty() {
            self.0
                .extend(entries.iter().map(|(known, _)| known.clone()));
        }
        !self.0.insert(name.clone())
    }
}

/// Reads a name without a copy where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(
        self,
        reader: D,
    ) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
