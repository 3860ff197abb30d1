//! The result of a violated custom rule.

use doyen_core::{At, Failures};
use serde_json::{Map, Value as Json};

/// A custom rule is violated.
///
/// ```
/// use doyen_schema::rule::Broken;
///
/// fn no_shouting(text: &str) -> Result<(), Broken> {
///     if text.chars().any(char::is_lowercase) {
///         return Ok(());
///     }
///     Err(Broken::new("shouting", "must not be all capitals"))
/// }
/// # assert!(no_shouting("Hi").is_ok() && no_shouting("HI").is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    code: &'static str,
    message: String,
    field: Option<String>,
    params: Map<String, Json>,
}

impl Broken {
    /// Creates a violation with a stable code and a message that continues the name of the field:
    /// `must be a working day`.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            field: None,
            params: Map::new(),
        }
    }

    /// Sets the invalid field, with its name on the wire, for rules over several fields.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// Adds a parameter of the rule, for programs.
    #[must_use]
    pub fn param(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.params.insert(name.to_owned(), value.into());
        self
    }

    /// Records the violation.
    pub fn record(self, at: &At<'_>, out: &mut Failures) {
        match self.field {
            Some(name) => at
                .field(&name)
                .fail_with(out, self.code, self.message, self.params),
            None => at.fail_with(out, self.code, self.message, self.params),
        }
    }
}
