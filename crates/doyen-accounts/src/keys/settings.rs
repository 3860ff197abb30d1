//! The settings of API keys.

use std::fmt;
use std::sync::Arc;

use doyen_settings::{Raw, Setting, Settings, Wrong};

/// API keys.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct ApiKeySettings {
    /// Prefix of API keys and client secrets, before the last `_`: `helpdesk` for `helpdesk_...`.
    /// It identifies them for people and secret scanners. If not set, the name of the application.
    /// Existing keys with another prefix stay valid.
    pub prefix: Option<KeyPrefix>,
    /// Maximum API keys per user. A request to create another gets a 409.
    #[setting(default = 50, min = 1, max = 10000)]
    pub per_user: u32,
}

/// Prefix of API keys: 2 to 32 lower-case letters, digits and `_`. It starts with a letter and does
/// not end with `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(Arc<str>);

impl KeyPrefix {
    /// Returns the prefix for an application with this name, without the characters that are not
    /// allowed.
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
