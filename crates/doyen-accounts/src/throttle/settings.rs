//! How patient the login is.

use std::time::Duration;

use doyen_core::{MINUTE, Settings};

use super::buckets::Rule;

/// Logins that fail.
#[derive(Debug, Clone, Settings)]
pub struct ThrottleSettings {
    /// How many failures on one account are free before who tries must wait.
    #[setting(default = 5, min = 1, max = 100)]
    pub account_free: u32,
    /// How many failures from one network (an IPv4 address, the first 64 bits of an IPv6 address) are free, whatever the accounts.
    #[setting(default = 30, min = 1, max = 100000)]
    pub network_free: u32,
    /// How long to wait after the first failure that is not free; each further one doubles it.
    #[setting(default = "1s", min = "1s", max = "1h")]
    pub first_wait: Duration,
    /// The longest wait.
    #[setting(default = "15m", min = "1s", max = "24h")]
    pub longest_wait: Duration,
}

impl ThrottleSettings {
    /// For what belongs to one account: a failure is forgotten each quarter of an hour.
    pub(super) fn account(&self) -> Rule {
        self.rule(self.account_free, 15 * MINUTE)
    }

    /// For a network, where many people may be: a failure is forgotten each minute.
    pub(super) fn network(&self) -> Rule {
        Rule {
            shared: true,
            ..self.rule(self.network_free, MINUTE)
        }
    }

    fn rule(&self, free: u32, forget: Duration) -> Rule {
        Rule {
            free: free.into(),
            first: self.first_wait,
            longest: self.longest_wait,
            forget,
            shared: false,
        }
    }
}
