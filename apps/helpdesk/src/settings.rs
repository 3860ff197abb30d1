//! The helpdesk's own settings, beside those every application has.

use doyen::prelude::*;

/// Settings of the helpdesk.
#[derive(Debug, Clone, Settings)]
pub struct HelpdeskSettings {
    /// Who can get an account.
    #[setting(section)]
    pub registration: RegistrationSettings,
}

/// Who can get an account.
#[derive(Debug, Clone, Settings)]
pub struct RegistrationSettings {
    /// `open`: anybody makes one for themselves. `closed`: nobody does.
    #[setting(default = "open")]
    pub mode: RegistrationMode,
}

/// Who can get an account by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum RegistrationMode {
    /// Anybody.
    Open,
    /// Nobody.
    Closed,
}
