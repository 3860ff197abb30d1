//! The settings of the clients.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::{ByteSize, Loader, Settings};

/// Calls to other services: a section for each client, such as `[outbound.payments]`.
#[derive(Clone, Debug, Settings)]
pub struct OutboundSettings {
    /// The clients by name.
    #[setting(flatten)]
    pub clients: BTreeMap<String, ClientSettings>,
}

/// A client of one upstream.
#[derive(Clone, Debug, Settings)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Base URL of the upstream: `https://api.example.com/v2`. A call with a path goes there. You
    /// trust this host: it may have a private address and any port.
    pub url: Option<String>,
    /// Bearer token, sent to the host of `url` only.
    pub token: Option<Secret<String>>,
    /// Maximum time of a call with all its tries. The inbound request may allow less.
    #[setting(default = "10s", min = "10ms", max = "10m")]
    pub timeout: Duration,
    /// Maximum time of one try, up to the last byte of its response. The try has then failed.
    #[setting(default = "5s", min = "10ms", max = "10m")]
    pub try_timeout: Duration,
    /// Maximum time to connect, including the DNS lookup.
    #[setting(default = "2s", min = "10ms", max = "1m")]
    pub connect_timeout: Duration,
    /// Maximum number of tries of a call that may be repeated: an idempotent method, or a call with
    /// an `Idempotency-Key`. Other calls have one try.
    #[setting(default = 3, min = 1, max = 10)]
    pub tries: u32,
    /// Maximum number of retries, in percent of the calls, above a reserve of ten. Without budget,
    /// a call has one try.
    #[setting(default = 10, min = 0, max = 100)]
    pub retry_budget: u32,
    /// Upper limit of the random pause before the second try. It doubles with each further one.
    #[setting(default = "100ms", min = "1ms", max = "1m")]
    pub retry_pause: Duration,
    /// Maximum number of concurrent calls. Further ones wait.
    #[setting(default = 64, min = 1, max = 65_536)]
    pub max_concurrent: u32,
    /// Maximum number of waiting calls. Further ones fail at once.
    #[setting(default = 64, min = 0, max = 65_536)]
    pub max_waiting: u32,
    /// Maximum size of a response body. A larger response is an error.
    #[setting(default = "1 MiB", min = "1 KiB", max = "64 MiB")]
    pub max_response: ByteSize,
    /// Maximum number of redirects that a GET or HEAD follows. Other methods follow none.
    #[setting(default = 0, min = 0, max = 10)]
    pub max_redirects: u32,
    /// Use a circuit breaker for each host: while it is open, calls fail at once.
    #[setting(default = true)]
    pub breaker: bool,
    /// Number of latest tries that decide. With fewer tries the breaker stays closed.
    #[setting(default = 20, min = 1, max = 1_000)]
    pub breaker_window: u32,
    /// Share of failed tries in the window, in percent, at which the breaker opens. Failed are
    /// tries without a response, and responses with 500, 502, 503 or 504.
    #[setting(default = 50, min = 1, max = 100)]
    pub breaker_failures: u32,
    /// Time that the breaker stays open.
    #[setting(default = "30s", min = "10ms", max = "1h")]
    pub breaker_pause: Duration,
    /// Number of trial calls after the pause. If all succeed, the breaker closes. If one fails, it
    /// opens again.
    #[setting(default = 3, min = 1, max = 100)]
    pub breaker_trials: u32,
    /// Allow private addresses for every host. For development: an address from outside could then
    /// reach the inner network.
    #[setting(default = false)]
    pub allow_private: bool,
    /// Permitted ports of hosts other than that of `url`.
    #[setting(default = [80, 443, 8080, 8443])]
    pub ports: Vec<u16>,
    /// File with certificates (PEM) that are trusted in addition to those of the system.
    pub ca: Option<PathBuf>,
}

impl Default for ClientSettings {
    fn default() -> Self {
        let nothing = Loader::new("APP").env(Vec::<(String, String)>::new());
        let loaded = nothing.load::<Self>();
        // Without sources only the defaults are read, which a test checks.
        loaded.expect("the defaults are valid").value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let settings = ClientSettings::default();
        assert_eq!(settings.ports, [80, 443, 8080, 8443]);
        assert!(!settings.allow_private);
    }
}
