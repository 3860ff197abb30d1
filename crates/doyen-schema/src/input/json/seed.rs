//! Reads one value with serde_json, within the limits.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::name::{Name, Names};
use super::{JsonError, Limits, Reason};
use crate::input::Value;

/// The error is stored here, because an error of serde can only carry text.
pub(super) struct State {
    values: Cell<usize>,
    reason: RefCell<Option<Reason>>,
    path: RefCell<Vec<String>>,
}

impl State {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            values: Cell::new(limits.values),
            reason: RefCell::default(),
            path: RefCell::default(),
        }
    }

    fn stop<E: serde::de::Error>(&self, reason: Reason) -> E {
        self.reason.replace(Some(reason));
        E::custom("refused")
    }

    /// The error passes through each level and collects the pointer.
    fn passing(&self, step: impl FnOnce() -> String) {
        if matches!(*self.reason.borrow(), Some(Reason::DuplicateKey(_))) {
            self.path.borrow_mut().push(step());
        }
    }

    pub(super) fn explain(self, error: &serde_json::Error) -> JsonError {
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
pub(super) struct Seed<'s> {
    pub(super) state: &'s State,
    pub(super) depth: usize,
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
