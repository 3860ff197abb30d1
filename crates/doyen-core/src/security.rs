//! What happens to accounts: events with stable names, and the port that keeps them.
//!
//! An event has a name from the list here or of your own (`orders.refunded`), always the same for
//! the same thing: alerts and searches hang on it. It never holds a secret: no password, no token,
//! no key.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Port;

/// A login.
pub const LOGIN_SUCCEEDED: &str = "login.succeeded";
/// A login was refused: a wrong password, an unknown address, a disabled account, a wrong second
/// factor. The detail `why` tells which.
pub const LOGIN_FAILED: &str = "login.failed";
/// A login was not looked at, because too many failed before it.
pub const LOGIN_THROTTLED: &str = "login.throttled";
/// A logout.
pub const LOGGED_OUT: &str = "logout";
/// A refresh token was used a second time: its family is dead.
pub const REFRESH_REUSED: &str = "refresh.reused";
/// A session was ended by its owner or by an administrator.
pub const SESSION_REVOKED: &str = "session.revoked";
/// A request with a session cookie did not prove where it came from.
pub const CSRF_REFUSED: &str = "csrf.refused";
/// An account was made.
pub const ACCOUNT_CREATED: &str = "account.created";
/// An account was disabled: its sessions ended, its keys are refused.
pub const ACCOUNT_DISABLED: &str = "account.disabled";
/// An account was enabled again.
pub const ACCOUNT_ENABLED: &str = "account.enabled";
/// A password was changed by its owner.
pub const PASSWORD_CHANGED: &str = "password.changed";
/// A password was set by the link in a mail.
pub const PASSWORD_RESET: &str = "password.reset";
/// A link to set a password was asked for.
pub const PASSWORD_RESET_ASKED: &str = "password.reset_asked";
/// An e-mail address was found to be its owner's.
pub const EMAIL_VERIFIED: &str = "email.verified";
/// An account has another e-mail address.
pub const EMAIL_CHANGED: &str = "email.changed";
/// An account has another role.
pub const ROLE_CHANGED: &str = "role.changed";
/// A second factor was switched on.
pub const FACTOR_ENABLED: &str = "factor.enabled";
/// A second factor was switched off.
pub const FACTOR_DISABLED: &str = "factor.disabled";
/// A recovery code was used.
pub const RECOVERY_CODE_USED: &str = "recovery_code.used";
/// An API key was made.
pub const KEY_CREATED: &str = "api_key.created";
/// An API key was revoked.
pub const KEY_REVOKED: &str = "api_key.revoked";
/// An API key was used from an address it was not used from before.
pub const KEY_NEW_ADDRESS: &str = "api_key.new_address";
/// A machine client was made, changed or revoked; the detail `what` tells which.
pub const CLIENT_CHANGED: &str = "client.changed";
/// A machine client did not prove who it is.
pub const CLIENT_REFUSED: &str = "client.refused";

/// Something that happened to an account.
///
/// ```
/// use doyen_core::{SecurityEvent, security};
///
/// let event = SecurityEvent::new(security::ROLE_CHANGED)
///     .subject("usr_1")
///     .by("usr_2")
///     .detail("role", "admin");
/// assert_eq!(event.name, "role.changed");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What happened.
    pub name: &'static str,
    /// Whose account it is about.
    pub subject: Option<Arc<str>>,
    /// The actor, if it is not the subject.
    pub actor: Option<Arc<str>>,
    /// In which session.
    pub session: Option<Arc<str>>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: Option<Arc<str>>,
    /// What else is known: never a secret.
    pub details: Vec<(&'static str, String)>,
}

impl SecurityEvent {
    /// An event of this name, with nothing else known.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            subject: None,
            actor: None,
            session: None,
            address: None,
            agent: None,
            details: Vec::new(),
        }
    }

    /// About this account.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the actor, if it is not the subject.
    #[must_use]
    pub fn by(mut self, actor: &str) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// In this session.
    #[must_use]
    pub fn session(mut self, session: &str) -> Self {
        self.session = Some(session.into());
        self
    }

    /// From this address, by a client that calls itself this.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>, agent: Option<&str>) -> Self {
        self.address = address;
        self.agent = agent.map(Arc::from);
        self
    }

    /// What else is known.
    #[must_use]
    pub fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

/// Keeps security events. Ask for `Arc<dyn SecurityLog>`.
pub trait SecurityLog: Send + Sync + 'static {
    /// Keeps the event, whatever becomes of the request: for what was tried.
    fn record(&self, event: SecurityEvent);

    /// Keeps the event if this unit of work is committed: for what was done.
    fn record_on_commit(&self, event: SecurityEvent);
}

impl<A: SecurityLog> Port<A> for dyn SecurityLog {
    fn adapt(adapter: A) -> Arc<dyn SecurityLog> {
        Arc::new(adapter)
    }
}
