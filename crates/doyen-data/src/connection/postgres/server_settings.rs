//! The settings of a connection to PostgreSQL: read-only by default, and timeouts.
//!
//! | [`Pooler`] | how the settings get there |
//! | --- | --- |
//! | `None` | startup parameters, which are checked: a pooler may drop them |
//! | `Session` | `SET` on each new connection |
//! | `Transaction` | `SET LOCAL` in each transaction. Each statement is in one |

use std::time::Duration;

use crate::{DatabaseOptions, Pooler};

/// What to do about a pooler that drops the settings.
pub(crate) const POOLER_FOUND: &str = "a pooler in front of the server drops the settings of connections. \
     Set `database.pooler` to its mode, `session` or `transaction`";

#[derive(Clone)]
pub(crate) struct ServerSettings {
    pub(crate) pooler: Pooler,
    timeouts: [(&'static str, Duration); 3],
}

impl ServerSettings {
    pub(crate) fn new(options: &DatabaseOptions) -> Self {
        // Ends transactions that were abandoned.
        let idle = options.statement_timeout.max(Duration::from_secs(1)) * 3;
        Self {
            pooler: options.pooler,
            timeouts: [
                ("statement_timeout", options.statement_timeout),
                ("lock_timeout", options.lock_timeout),
                ("idle_in_transaction_session_timeout", idle),
            ],
        }
    }

    /// Returns the startup parameters.
    pub(crate) fn startup(&self) -> Vec<(&'static str, String)> {
        if self.pooler != Pooler::None {
            return Vec::new();
        }
        let timeouts = self.timeouts.iter();
        let timeouts = timeouts.map(|(name, time)| (*name, time.as_millis().to_string()));
        [("default_transaction_read_only", "on".to_owned())]
            .into_iter()
            .chain(timeouts)
            .collect()
    }

    /// Returns the statements that a new connection runs.
    pub(crate) fn on_connect(&self) -> Option<String> {
        (self.pooler == Pooler::Session)
            .then(|| format!("SET default_transaction_read_only = on{}", self.set("SET")))
    }

    /// Returns a query whose result is `true` if the startup parameters have arrived.
    pub(crate) fn check(&self) -> Option<String> {
        let timeouts = self
            .timeouts
            .iter()
            .filter(|(_, time)| time.as_millis() > 0);
        let timeouts: String = timeouts
            .map(|(name, _)| format!(" AND current_setting('{name}') <> '0'"))
            .collect();
        (self.pooler == Pooler::None).then(|| {
            format!("SELECT current_setting('default_transaction_read_only') = 'on'{timeouts}")
        })
    }

    /// Returns the statement that begins a transaction which may write. Connections are read-only
    /// by default, so that one pool can serve reads safely.
    pub(crate) fn begin(&self) -> String {
        self.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")
    }

    /// Returns the statement that begins the transaction of a single read, if it needs one.
    pub(crate) fn begin_read(&self) -> Option<String> {
        (self.pooler == Pooler::Transaction)
            .then(|| self.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY"))
    }

    fn begin_with(&self, begin: &str) -> String {
        match self.pooler {
            Pooler::None | Pooler::Session => begin.to_owned(),
            Pooler::Transaction => format!("{begin}{}", self.set("SET LOCAL")),
        }
    }

    fn set(&self, set: &str) -> String {
        let timeouts = self.timeouts.iter();
        timeouts
            .map(|(name, time)| format!("; {set} {name} = {}", time.as_millis()))
            .collect()
    }
}
