//! Settings of the login throttle.

use std::time::Duration;

use doyen_core::MINUTE;
use doyen_settings::Settings;

use super::buckets::Rule;

/// Failed logins.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct ThrottleSettings {
    /// Failed logins on one account without a wait. Each further failure causes a wait.
    #[setting(default = 5, min = 1, max = 100)]
    pub account_free: u32,
    /// Failed logins from one network without a wait, on any accounts. A network is an IPv4 address
    /// or the first 64 bits of an IPv6 address.
    #[setting(default = 30, min = 1, max = 100000)]
    pub network_free: u32,
    /// Wait after the first failure that is not free. Each further failure doubles it.
    #[setting(default = "1s", min = "1s", max = "1h")]
    pub first_wait: Duration,
    /// Maximum wait after a failed login.
    #[setting(default = "15m", min = "1s", max = "24h")]
    pub longest_wait: Duration,
}

impl ThrottleSettings {
    /// The rule for buckets of one account: every 15 minutes, one failure is forgotten.
    pub(super) fn account(&self) -> Rule {
        self.rule(self.account_free, 15 * MINUTE)
    }

    /// The rule for a network, which many users can share: every minute, one failure is forgotten.
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
