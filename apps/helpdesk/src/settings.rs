//! Settings of the helpdesk, in addition to those of the framework.

use doyen::prelude::*;
use doyen::settings::ByteSize;

/// Settings of the helpdesk.
#[derive(Debug, Clone, Settings)]
pub struct HelpdeskSettings {
    /// Registration of new accounts.
    #[setting(section)]
    pub registration: RegistrationSettings,
    /// Attachments of tickets.
    #[setting(section)]
    pub attachments: AttachmentSettings,
}

/// Attachments of tickets.
#[derive(Debug, Clone, Settings)]
pub struct AttachmentSettings {
    /// Maximum size of all attachments that one customer has uploaded. Further ones get a 413.
    #[setting(default = "1 GiB", min = "1 KiB", max = "1 TiB")]
    pub customer_quota: ByteSize,
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
