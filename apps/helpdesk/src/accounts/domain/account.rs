//! The account and its email address.

use std::fmt;
use std::str::FromStr;

use doyen::domain::{Input, Output, Patch, Timestamp};

use crate::access::{Role, User, UserId};

/// An account of a helpdesk user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// User id.
    pub id: UserId,
    /// Email address, used for mail and to log in.
    pub email: Email,
    /// Name of the user.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Time at which the account was disabled, or `None`.
    pub disabled_at: Option<Timestamp>,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Version number, incremented by each change.
    pub version: i64,
}

/// Changes to an account.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// New name.
    pub name: Patch<String>,
    /// New role.
    pub role: Patch<Role>,
    /// True to disable the account, false to enable it.
    pub disabled: Patch<bool>,
}

/// Filter for a list of accounts.
#[derive(Clone, Debug, Default, Input)]
pub struct AccountFilter {
    /// Only users with this role.
    pub role: Option<Role>,
}

/// Email address, in lower case.
///
/// Addresses that differ only in case are equal: `Ann@Example.com` is stored as `ann@example.com`.
/// Dots and `+tags` are significant.
// RFC 5321 section 2.4 permits case-sensitive local parts, but no major provider uses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Input, Output)]
#[input(from_str)]
#[validate(email)]
#[output(display, format = "email")]
pub struct Email(String);

/// The text is not an email address.
#[derive(Clone, Copy, Debug)]
pub struct NotAnEmail;

impl Account {
    /// Creates an account.
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

    /// Returns the account as a user.
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
    /// Returns the address as a string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Converts the address to lower case. The syntax is validated where the input is read.
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
        f.write_str("must be an email address")
    }
}

impl std::error::Error for NotAnEmail {}
