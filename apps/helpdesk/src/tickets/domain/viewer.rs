//! The tickets that a user can see.

use doyen::domain::{DeniedBecause, denied_because};

use crate::access::{User, UserId};

/// A user who reads or changes tickets, as a customer or as an agent.
///
/// Repository methods for tickets require a viewer, which can only be created from a user. A
/// handler therefore cannot forget to restrict customers to their own tickets, and the tickets of
/// other users do not exist for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer(User);

impl Viewer {
    /// Returns the user id.
    pub const fn id(&self) -> UserId {
        self.0.id
    }

    /// Returns true if the viewer can see the tickets of other users and internal notes.
    pub const fn is_staff(&self) -> bool {
        self.0.role.is_staff()
    }

    /// Returns the only reporter whose tickets are visible, or `None` if all tickets are.
    pub fn only(&self) -> Option<UserId> {
        (!self.is_staff()).then_some(self.0.id)
    }

    /// Returns true if tickets of this reporter are visible.
    pub fn sees(&self, reporter: UserId) -> bool {
        self.only().is_none_or(|only| only == reporter)
    }
}

/// Checks whether the viewer can write this comment; only agents can write internal notes.
pub(super) fn may_comment(viewer: &Viewer, internal: bool) -> Result<(), DeniedBecause> {
    if internal && !viewer.is_staff() {
        return Err(denied_because("customers cannot write internal notes"));
    }
    Ok(())
}

impl From<User> for Viewer {
    fn from(user: User) -> Self {
        Self(user)
    }
}
