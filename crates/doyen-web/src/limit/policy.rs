//! Policies of the settings.

use std::fmt;

use doyen_core::limit::{Per, Rate};
use doyen_settings::{Raw, Setting, Wrong};

use super::name::{NAME, is_name};

/// A policy of the settings: `search: 30/1m per user`, `export: 5/1h burst 1 per address`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// How many calls.
    pub rate: Rate,
    /// Whose.
    pub per: Per,
}

impl NamedPolicy {
    /// Reads `search: 30/1m per user`.
    ///
    /// # Errors
    ///
    /// What it must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a policy such as `search: 30/1m per user`; it counts per user, client, address, key or route";
        let (name, rest) = text.split_once(':').ok_or(SHAPE)?;
        let (rate, per) = rest.rsplit_once(" per ").ok_or(SHAPE)?;
        let policy = Self {
            name: name.trim().to_owned(),
            rate: Rate::parse(rate.trim())?,
            per: Per::named(per.trim()).ok_or(SHAPE)?,
        };
        if !is_name(&policy.name) {
            return Err(NAME.to_owned());
        }
        if policy.name == "default" {
            return Err(
                "called something else: the default is the setting `limits.default`".to_owned(),
            );
        }
        Ok(policy)
    }
}

impl fmt::Display for NamedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} per {}", self.name, self.rate, self.per.word())
    }
}

impl Setting for NamedPolicy {
    fn kind() -> String {
        "policy".to_owned()
    }
    fn read(raw: &Raw) -> Result<Self, Wrong> {
        NamedPolicy::parse(raw.text().unwrap_or_default()).map_err(Wrong::must_be)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in [
            "search: 30/1m per user",
            "export: 5/1h burst 1 per address",
            "all: 9/1s per route",
        ] {
            assert_eq!(NamedPolicy::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "search",
            "search: 30/1m",
            "search: 30/1m per person",
            "a b: 30/1m per user",
            ": 1/1s per user",
            "x: per user",
            "default: 1/1s per user",
        ] {
            assert!(NamedPolicy::parse(text).is_err(), "{text}");
        }
    }
}
