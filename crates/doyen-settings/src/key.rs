//! The settings that a program has.

use crate::Setting;

/// One setting, as in the table of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Full key: `mail.workers`.
    pub path: String,
    /// Kind of value: `whole number from 1 to 64`.
    pub kind: String,
    /// Default, as it would be written.
    pub default: Option<&'static str>,
    /// Second environment variable, without the prefix.
    pub env: Option<&'static str>,
    /// Description: the doc comment of the field.
    pub doc: &'static str,
    /// True if the value is never shown.
    pub secret: bool,
    /// True if it is optional.
    pub optional: bool,
}

impl Key {
    /// Creates the key of a field.
    pub fn of<T: Setting>(spec: &Spec) -> Self {
        Self {
            path: spec.name.to_owned(),
            kind: format!(
                "{}{}",
                T::kind(),
                spec.range()
                    .map_or_else(String::new, |range| format!(" {range}"))
            ),
            default: spec.default,
            env: spec.env,
            doc: spec.doc,
            secret: T::SECRET,
            optional: T::OPTIONAL,
        }
    }

    /// Returns the key in a section.
    #[must_use]
    pub fn within(mut self, section: &str) -> Self {
        self.path = format!("{section}.{}", self.path);
        self
    }

    /// Returns the environment variable: `APP_MAIL__WORKERS` with the prefix `APP`.
    pub fn variable(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// The facts about a field that `#[derive(Settings)]` records.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Name of the field.
    pub name: &'static str,
    /// Doc comment.
    pub doc: &'static str,
    /// `default = ...`, as text.
    pub default: Option<&'static str>,
    /// `env = "..."`.
    pub env: Option<&'static str>,
    /// `min = ...`, as text.
    pub min: Option<&'static str>,
    /// `max = ...`, as text.
    pub max: Option<&'static str>,
}

impl Spec {
    /// "from 1 to 64", "of at least 1", "of at most 64".
    pub(crate) fn range(&self) -> Option<String> {
        match (self.min, self.max) {
            (Some(min), Some(max)) => Some(format!("from {min} to {max}")),
            (Some(min), None) => Some(format!("of at least {min}")),
            (None, Some(max)) => Some(format!("of at most {max}")),
            (None, None) => None,
        }
    }
}
