//! The error of a plugin that cannot be set up.

use std::fmt;

/// A mistake in the settings or in the set-up of a plugin. The message says what to do.
#[derive(Debug)]
pub struct SetupError {
    pub(crate) key: Option<String>,
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SetupError {
    /// An error that no single setting causes.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            key: None,
            message: message.into(),
            source: None,
        }
    }

    /// An invalid setting: its whole key (`mail.url`), and what is wrong and what to do.
    pub fn setting(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..Self::new(message)
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for SetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl From<&str> for SetupError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for SetupError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<doyen_core::Unexpected> for SetupError {
    fn from(error: doyen_core::Unexpected) -> Self {
        Self::new(crate::command::text(&error))
    }
}

impl From<doyen_core::Refusal> for SetupError {
    fn from(refusal: doyen_core::Refusal) -> Self {
        Self::from(crate::command::unexpected(refusal))
    }
}
