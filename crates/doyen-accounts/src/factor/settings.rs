//! What can be set about second factors.

use doyen_core::Settings;

/// Second factors.
#[derive(Debug, Clone, Settings)]
pub struct FactorSettings {
    /// What an app shows beside the code. The name of the application when it is not set.
    pub issuer: Option<String>,
}
