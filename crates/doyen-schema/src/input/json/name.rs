//! The names of an object.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Visitor};

use crate::input::Value;

/// Finds duplicate names: by comparison among few, by hash among many.
#[derive(Default)]
pub(super) struct Names<'de>(HashSet<Cow<'de, str>>);

impl<'de> Names<'de> {
    const FEW: usize = 16;

    #[allow(clippy::ptr_arg, reason = "stored without a copy of borrowed text")]
    pub(super) fn known(
        &mut self,
        name: &Cow<'de, str>,
        entries: &[(Cow<'de, str>, Value<'de>)],
    ) -> bool {
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

/// Reads a name. Without escapes it is not copied.
pub(super) struct Name;

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
