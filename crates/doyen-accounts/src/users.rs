//! The application's users, as far as accounts need to know them.

use std::sync::Arc;

use doyen_core::{Caller, Unexpected, port};

/// One user, as far as logging in is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// The stable id: what becomes the `sub` of a token.
    pub subject: Arc<str>,
    /// Where they are reached, and what they log in with.
    pub email: String,
    /// The hash of their password, in PHC form; `None` for those who log in another way.
    pub password_hash: Option<String>,
    /// What they may ask for today.
    pub scopes: Vec<Arc<str>>,
    /// What they are today.
    pub roles: Vec<Arc<str>>,
    /// Whether the e-mail address is known to be theirs.
    pub verified: bool,
    /// Whether they are kept out.
    pub disabled: bool,
}

impl UserRecord {
    /// The caller this user is once logged in.
    pub fn caller(&self) -> Caller {
        let mut caller = Caller::new(&self.subject);
        caller.scopes.clone_from(&self.scopes);
        caller.roles.clone_from(&self.roles);
        caller
    }
}

/// Where an application keeps its users. Implement it beside the table, and name it when adding the plugin: `Accounts::of::<SqlUsers>()`.
///
/// Everything is asked within the unit of work of the request. An e-mail address comes in lower case.
#[port]
pub trait Users {
    /// The user with this e-mail address.
    async fn by_email(&self, email: &str) -> Result<Option<UserRecord>, Unexpected>;

    /// The user with this id.
    async fn by_subject(&self, subject: &str) -> Result<Option<UserRecord>, Unexpected>;

    /// Keeps another password hash.
    async fn set_password(&self, subject: &str, hash: &str) -> Result<(), Unexpected>;

    /// Keeps another e-mail address, which is known to be theirs; false when somebody else has it.
    async fn set_email(&self, subject: &str, email: &str) -> Result<bool, Unexpected>;

    /// Remembers that the e-mail address is theirs.
    async fn set_verified(&self, subject: &str) -> Result<(), Unexpected>;
}
