//! A raw value of a source, and the types it can have.

use std::cmp::Ordering;
use std::fmt;

use crate::Spec;

/// A value before it has a type.
///
/// In a file, each value has a type (`8000` is not a text, `"8000"` is not a number); a variable is
/// only a [`Word`](Raw::Word).
#[derive(Clone, PartialEq)]
pub enum Raw {
    /// From a variable, a default or code: any type.
    Word(String),
    /// A string of a file.
    Text(String),
    /// A whole number of a file.
    Integer(i128),
    /// A number of a file.
    Float(f64),
    /// `true` or `false` of a file.
    Bool(bool),
    /// A list of a file.
    List(Vec<Raw>),
    /// A table inside a list of a file. No setting accepts one.
    Table,
}

impl Raw {
    /// Returns the text, if it may be one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Raw::Word(text) | Raw::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the readable form. Mask it before you show it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Raw::Word(text) | Raw::Text(text) => text.clone(),
            Raw::Integer(number) => number.to_string(),
            Raw::Float(number) => number.to_string(),
            Raw::Bool(truth) => truth.to_string(),
            Raw::List(items) => items.iter().map(Raw::shown).collect::<Vec<_>>().join(", "),
            Raw::Table => "{...}".to_owned(),
        }
    }
}

/// It may be a secret, so it is not shown.
impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw(***)")
    }
}

/// A type of a single setting. For your own type:
///
/// ```
/// use doyen_settings::{Raw, Setting, Wrong};
///
/// struct Country([u8; 2]);
///
/// impl Setting for Country {
///     fn kind() -> String {
///         "country".to_owned()
///     }
///     fn read(raw: &Raw) -> Result<Self, Wrong> {
///         let letters = raw.text().and_then(|text| text.as_bytes().try_into().ok());
///         letters
///             .map(Country)
///             .ok_or_else(|| Wrong::must_be("a country of two letters such as `CH`"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a setting",
    label = "nothing says how to read a `{Self}`",
    note = "for a struct of settings, derive `Settings` on it and write `#[setting(section)]` at the field",
    note = "for an enum of words, derive `Settings` on it; for another type, implement `doyen::settings::Setting`"
)]
pub trait Setting: Sized {
    /// True if the value must not be shown.
    const SECRET: bool = false;

    /// The setting is optional.
    const OPTIONAL: bool = false;

    /// Returns its name for the table of settings: `whole number`.
    fn kind() -> String;

    /// Parses a value.
    ///
    /// # Errors
    ///
    /// Returns the requirement. The message never repeats the value, which may be a secret.
    fn read(raw: &Raw) -> Result<Self, Wrong>;

    /// Returns the value if nothing is set and there is no default.
    fn absent() -> Option<Self> {
        None
    }

    /// Compares it with a limit (`min`, `max`). Returns `None` if the limit is not of this type, or
    /// the type has no order.
    fn compare(&self, _limit: &str) -> Option<Ordering> {
        None
    }
}

/// An invalid value: the requirement it violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    what: String,
    /// Minimum and maximum of the type.
    bounds: Option<(String, String)>,
    hint: &'static str,
}

impl Wrong {
    /// Creates an error that completes the sentence "it must be ...".
    pub fn must_be(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            bounds: None,
            hint: "",
        }
    }

    /// "it must be a whole number from 0 to 255", followed by the hint.
    pub(crate) fn must_be_between(
        what: &str,
        (min, max): (impl fmt::Display, impl fmt::Display),
        hint: &'static str,
    ) -> Self {
        Self {
            bounds: Some((min.to_string(), max.to_string())),
            hint,
            ..Self::must_be(what)
        }
    }

    /// Names the limits of the setting instead of those of its type.
    pub(crate) fn limited_by(mut self, spec: &Spec) -> Self {
        match (&mut self.bounds, spec.range()) {
            (Some((lowest, highest)), _) => {
                spec.min.into_iter().for_each(|min| min.clone_into(lowest));
                spec.max.into_iter().for_each(|max| max.clone_into(highest));
            }
            (None, Some(range)) => self.what = format!("{}, {range}", self.what),
            (None, None) => {}
        }
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some((min, max)) = &self.bounds {
            write!(f, " from {min} to {max}")?;
        }
        f.write_str(self.hint)
    }
}
