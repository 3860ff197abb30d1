//! What can be set about API keys.

use std::fmt;
use std::sync::Arc;

use doyen_core::Settings;
use doyen_core::settings::{Raw, Setting, Wrong};

/// API keys.
#[derive(Debug, Clone, Settings)]
pub struct ApiKeySettings {
    /// What API keys and the secrets of clients begin with, before the last `_`: `helpdesk` for `helpdesk_...`. People and secret scanners know
    /// them by it. The name of the application when it is not set. Keys that were made with another one go on.
    pub prefix: Option<KeyPrefix>,
    /// How many API keys one user may have.
    #[setting(default = 50, min = 1, max = 10000)]
    pub per_user: u32,
}

/// What keys begin with: 2 to 32 lower-case letters, digits and `_`, the first a letter and the last no `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(Arc<str>);

impl KeyPrefix {
    /// The prefix for an application of this name: what of it fits.
    pub fn of(name: &str) -> Self {
        let fitting: String = name
            .chars()
            .map(|char| char.to_ascii_lowercase())
            .map(|char| if char == '-' { '_' } else { char })
            .filter(|char| char.is_ascii_alphanumeric() || *char == '_')
            .skip_while(|char| !char.is_ascii_lowercase())
            .take(32)
            .collect();
        let fitting = fitting.trim_end_matches('_');
        Self(if Self::fits(fitting) { fitting } else { "key" }.into())
    }

    pub(crate) fn fits(text: &str) -> bool {
        (2..=32).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && !text.ends_with('_')
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for KeyPrefix {
    fn kind() -> String {
        "prefix".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Wrong> {
        let text = raw.text().filter(|text| Self::fits(text));
        text.map(|text| Self(text.into())).ok_or_else(|| {
            Wrong::must_be(
                "2 to 32 lower-case letters, digits and `_`, beginning with a letter and not ending with `_`",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_application_becomes_a_prefix() {
        for (name, prefix) in [
            ("helpdesk", "helpdesk"),
            ("My-Shop", "my_shop"),
            ("7up", "up"),
            ("x", "key"),
            ("_", "key"),
            ("shop-", "shop"),
        ] {
            assert_eq!(KeyPrefix::of(name).to_string(), prefix, "{name}");
        }
        let long = KeyPrefix::of(&"long-name".repeat(20)).to_string();
        assert!(KeyPrefix::fits(&long), "{long}");
    }
}
