//! Settings of the helpdesk, in addition to those of the framework.

use doyen::prelude::*;

/// Settings of the helpdesk.
#[derive(Debug, Clone, Settings)]
pub struct HelpdeskSettings {
    /// Registration of new accounts.
    #[setting(section)]
    pub registration: RegistrationSettings,
}

/// Registration of new accounts.
#[derive(Debug, Clone, Settings)]
pub struct RegistrationSettings {
    /// `open`: anyone can register. `closed`: registration is disabled.
    #[setting(default = "open")]
    pub mode: RegistrationMode,
}

/// Whether users can register themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Settings)]
pub enum RegistrationMode {
    /// Anyone can register.
    Open,
    /// Registration is disabled.
    Closed,
}
