//! Whose tickets somebody can see.

use doyen::domain::{DeniedBecause, denied_because};

use crate::access::{User, UserId};

/// Somebody who looks at tickets: with a customer's eyes or an agent's.
///
/// Each question to the repository needs one, and it can only be made of a user. So nobody can forget to ask for the customer's own
/// tickets alone, and a ticket of somebody else is a ticket that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer(User);

impl Viewer {
    /// Who looks.
    pub const fn id(&self) -> UserId {
        self.0.id
    }

    /// True for those who see the tickets of others and internal notes.
    pub const fn is_staff(&self) -> bool {
        self.0.role.is_staff()
    }

    /// Whose tickets they see; `None` for everybody's.
    pub fn only(&self) -> Option<UserId> {
        (!self.is_staff()).then_some(self.0.id)
    }

    /// True when they may see a ticket that this user opened.
    pub fn sees(&self, reporter: UserId) -> bool {
        self.only().is_none_or(|only| only == reporter)
    }
}

/// May they write this comment, or only an agent?
pub(super) fn may_comment(viewer: &Viewer, internal: bool) -> Result<(), DeniedBecause> {
    if internal && !viewer.is_staff() {
        return Err(denied_because("a customer writes no internal notes"));
    }
    Ok(())
}

impl From<User> for Viewer {
    fn from(user: User) -> Self {
        Self(user)
    }
}
