//! What a plugin is.

use std::fmt;

use doyen_settings::Settings;

use crate::{Manifest, Registrar};

/// A part that an application can include, replace or leave out.
///
/// ```
/// use doyen_app::{Plugin, Registrar, SetupError};
///
/// /// Answers `GET /version`.
/// struct Version;
///
/// impl Plugin for Version {
///     const NAME: &'static str = "version";
///     type Settings = ();
///
///     fn register(self, _: (), app: &mut Registrar<'_>) -> Result<(), SetupError> {
///         app.module(doyen_web::Module::new("version"));
///         Ok(())
///     }
/// }
/// ```
///
/// An application adds it with [`App::plugin`](crate::App::plugin). The order of these calls does
/// not matter: plugins are sorted by what they declare and inject.
pub trait Plugin: Send + 'static {
    /// The settings section, the owner of the tables and the name in logs and reports. It is
    /// stored in databases: never reuse it for something else.
    const NAME: &'static str;

    /// The settings of the plugin; `()` if it has none.
    type Settings: Settings + Send + 'static;

    /// Declares static facts: other plugins that it needs, tables, former names.
    fn manifest(&self, manifest: &mut Manifest) {
        let _ = manifest;
    }

    /// Registers everything the plugin adds to the application. It does no I/O and resolves
    /// nothing, so that the mistakes of all plugins are reported together.
    ///
    /// # Errors
    ///
    /// Returns an error if the plugin cannot work with these settings. Report further mistakes with
    /// [`Registrar::fault`] and go on.
    fn register(self, settings: Self::Settings, app: &mut Registrar<'_>) -> Result<(), SetupError>;
}

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
