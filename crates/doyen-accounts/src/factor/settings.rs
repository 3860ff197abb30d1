//! The settings of second factors.

use doyen_settings::Settings;

/// Second factors.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct FactorSettings {
    /// Issuer name that authenticator apps show with the code. If not set, the name of the
    /// application.
    pub issuer: Option<String>,
}
