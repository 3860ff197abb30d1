//! The account and its e-mail address.

use std::fmt;
use std::str::FromStr;

use doyen::domain::{Input, Output, Patch, Timestamp};

use crate::access::{Role, User, UserId};

/// Somebody who uses the helpdesk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Their id.
    pub id: UserId,
    /// Where they are reached, and what they log in with.
    pub email: Email,
    /// What they are called.
    pub name: String,
    /// What they are here.
    pub role: Role,
    /// Since when they are kept out.
    pub disabled_at: Option<Timestamp>,
    /// When they came.
    pub created_at: Timestamp,
    /// When this last changed.
    pub updated_at: Timestamp,
    /// Counts up with each change.
    pub version: i64,
}

/// Changes to an account.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Another name.
    pub name: Patch<String>,
    /// Another role.
    pub role: Patch<Role>,
    /// Whether they are kept out.
    pub disabled: Patch<bool>,
}

/// Which accounts.
#[derive(Clone, Debug, Default, Input)]
pub struct AccountFilter {
    /// Only those with this role.
    pub role: Option<Role>,
}

/// An e-mail address, in lower case.
///
/// Domains have no case. What stands before the `@` could have one (RFC 5321 section 2.4), and no provider of note uses it; two accounts
/// that differ in nothing else would be a trap. So `Ann@Example.com` and `ann@example.com` are one address. Dots and `+tags` count.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Input, Output)]
#[input(from_str)]
#[validate(email)]
#[output(display, format = "email")]
pub struct Email(String);

/// The text is no e-mail address.
#[derive(Clone, Copy, Debug)]
pub struct NotAnEmail;

impl Account {
    /// A new account.
    pub fn new(email: Email, name: String, role: Role, now: Timestamp) -> Self {
        Self {
            id: UserId::new(),
            email,
            name,
            role,
            disabled_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// The caller this account is once it has logged in.
    pub const fn user(&self) -> User {
        User {
            id: self.id,
            role: self.role,
        }
    }

    /// Applies changes.
    pub fn edit(&mut self, edit: Edit, now: Timestamp) {
        edit.name.apply(&mut self.name);
        edit.role.apply(&mut self.role);
        let mut disabled = self.disabled_at.is_some();
        edit.disabled.apply(&mut disabled);
        if disabled != self.disabled_at.is_some() {
            self.disabled_at = disabled.then_some(now);
        }
    }
}

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Only the case is changed: what may stand in an address is checked where it is read.
impl FromStr for Email {
    type Err = NotAnEmail;
    fn from_str(text: &str) -> Result<Self, NotAnEmail> {
        if text.contains('@') {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotAnEmail)
        }
    }
}

impl fmt::Display for NotAnEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an e-mail address")
    }
}

impl std::error::Error for NotAnEmail {}
