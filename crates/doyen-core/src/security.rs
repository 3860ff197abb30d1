//! Security events of accounts, with stable names, and the port that stores them.
//!
//! An event has a name from the list here or of the application (`orders.refunded`). Names are
//! stable, because alerts and searches depend on them. An event never contains a secret: no
//! password, token or key.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Port;

/// A login.
pub const LOGIN_SUCCEEDED: &str = "login.succeeded";
/// A refused login: a wrong password, an unknown address, a disabled account, a wrong second
/// factor. The detail `why` has the reason.
pub const LOGIN_FAILED: &str = "login.failed";
/// A login that was refused without a check, because of too many failures before it.
pub const LOGIN_THROTTLED: &str = "login.throttled";
/// A logout.
pub const LOGGED_OUT: &str = "logout";
/// A second use of a refresh token: its family was ended.
pub const REFRESH_REUSED: &str = "refresh.reused";
/// A session was ended by its owner or by an administrator.
pub const SESSION_REVOKED: &str = "session.revoked";
/// A request with a session cookie that failed the check against forgery.
pub const CSRF_REFUSED: &str = "csrf.refused";
/// An account was created.
pub const ACCOUNT_CREATED: &str = "account.created";
/// An account was disabled: its sessions ended, its keys are refused.
pub const ACCOUNT_DISABLED: &str = "account.disabled";
/// An account was enabled again.
pub const ACCOUNT_ENABLED: &str = "account.enabled";
/// A password was changed by its owner.
pub const PASSWORD_CHANGED: &str = "password.changed";
/// A password was reset by the link in a mail.
pub const PASSWORD_RESET: &str = "password.reset";
/// A link to reset a password was requested.
pub const PASSWORD_RESET_ASKED: &str = "password.reset_asked";
/// An email address was verified.
pub const EMAIL_VERIFIED: &str = "email.verified";
/// The email address of an account was changed.
pub const EMAIL_CHANGED: &str = "email.changed";
/// The role of an account was changed.
pub const ROLE_CHANGED: &str = "role.changed";
/// A second factor was enabled.
pub const FACTOR_ENABLED: &str = "factor.enabled";
/// A second factor was disabled.
pub const FACTOR_DISABLED: &str = "factor.disabled";
/// A recovery code was used.
pub const RECOVERY_CODE_USED: &str = "recovery_code.used";
/// An API key was created.
pub const KEY_CREATED: &str = "api_key.created";
/// An API key was revoked.
pub const KEY_REVOKED: &str = "api_key.revoked";
/// An API key was used from a new address.
pub const KEY_NEW_ADDRESS: &str = "api_key.new_address";
/// A machine client was created, changed or revoked; the detail `what` states which.
pub const CLIENT_CHANGED: &str = "client.changed";
/// A machine client failed to authenticate.
pub const CLIENT_REFUSED: &str = "client.refused";

/// A security event of an account.
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
    /// Name of the event.
    pub name: &'static str,
    /// The account, by its subject.
    pub subject: Option<Arc<str>>,
    /// The actor, if it is not the subject.
    pub actor: Option<Arc<str>>,
    /// Session id.
    pub session: Option<Arc<str>>,
    /// Address of the client.
    pub address: Option<IpAddr>,
    /// User agent of the client.
    pub agent: Option<Arc<str>>,
    /// Further details, without secrets.
    pub details: Vec<(&'static str, String)>,
}

impl SecurityEvent {
    /// Creates an event of this name, with empty fields.
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

    /// Sets the account.
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

    /// Sets the session.
    #[must_use]
    pub fn session(mut self, session: &str) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Sets address and user agent.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>, agent: Option<&str>) -> Self {
        self.address = address;
        self.agent = agent.map(Arc::from);
        self
    }

    /// Adds a detail.
    #[must_use]
    pub fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

/// Stores security events. Inject `Arc<dyn SecurityLog>`.
pub trait SecurityLog: Send + Sync + 'static {
    /// Stores the event, whatever the result of the request: for attempts.
    fn record(&self, event: SecurityEvent);

    /// Stores the event if this unit of work is committed: for changes.
    fn record_on_commit(&self, event: SecurityEvent);
}

impl<A: SecurityLog> Port<A> for dyn SecurityLog {
    fn adapt(adapter: A) -> Arc<dyn SecurityLog> {
        Arc::new(adapter)
    }
}
