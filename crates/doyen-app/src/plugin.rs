//! What a plugin is.

use doyen_settings::Settings;

use crate::{Manifest, Registrar, SetupError};

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
    /// [`Registrar::fault`] and continue.
    fn register(self, settings: Self::Settings, app: &mut Registrar<'_>) -> Result<(), SetupError>;
}
