//! The port to the users of the application.

use std::sync::Arc;

use doyen_core::{Caller, Unexpected, port};

/// A user, with the data that accounts need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// Stable id, the `sub` of tokens.
    pub subject: Arc<str>,
    /// Email address, used for logins and mails.
    pub email: String,
    /// Password hash in PHC format, or `None` if the user logs in another way.
    pub password_hash: Option<String>,
    /// Current scopes.
    pub scopes: Vec<Arc<str>>,
    /// Current roles.
    pub roles: Vec<Arc<str>>,
    /// True if the email address is verified.
    pub verified: bool,
    /// True if the account is disabled.
    pub disabled: bool,
}

impl UserRecord {
    /// Returns this user as a caller.
    pub fn caller(&self) -> Caller {
        let mut caller = Caller::new(&self.subject);
        caller.scopes.clone_from(&self.scopes);
        caller.roles.clone_from(&self.roles);
        caller
    }
}

/// The users of an application. Implement it on the table of users, and name the adapter when
/// mounting: `Accounts::of::<SqlUsers>()`.
///
/// Each call runs in the unit of work of the request. Email addresses are in lower case.
#[port]
pub trait Users {
    /// Finds a user by email address.
    async fn by_email(&self, email: &str) -> Result<Option<UserRecord>, Unexpected>;

    /// Finds a user by id.
    async fn by_subject(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected>;

    /// Sets the password hash.
    async fn set_password(&self, subject: &str, hash: &str) -> Result<(), Unexpected>;

    /// Sets a verified email address. Returns false if another user has it.
    async fn set_email(&self, subject: &str, email: &str) -> Result<bool, Unexpected>;

    /// Marks the email address as verified.
    async fn set_verified(&self, subject: &str) -> Result<(), Unexpected>;
}
