//! Authorization: the roles, the scopes of each role, and the caller as a user of the helpdesk.
//!
//! All domains share these types. Like a domain, they do not depend on HTTP or on a database.

use doyen::domain::id::Named;
use doyen::domain::{Caller, Id, Input, Output, Problem, Role as _, Scope as _, provider};

/// A permission that a token can grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, doyen::domain::Scope)]
pub enum Scope {
    /// Read tickets and comments. Customers can read only their own tickets.
    #[scope("tickets:read")]
    TicketsRead,
    /// Create and change tickets.
    #[scope("tickets:write")]
    TicketsWrite,
    /// Add comments to tickets.
    #[scope("comments:write")]
    CommentsWrite,
    /// Read users.
    #[scope("users:read")]
    UsersRead,
    /// Change users, including their roles.
    #[scope("users:write")]
    UsersWrite,
    /// Manage webhooks.
    #[scope("webhooks:write")]
    WebhooksWrite,
    /// Read and change the caller's own profile.
    #[scope("profile")]
    Profile,
}

/// Role of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, doyen::domain::Role, Input, Output)]
pub enum Role {
    /// Creates tickets and has access to their own tickets only.
    Customer,
    /// Has access to all tickets and can write internal notes.
    Agent,
    /// Has the rights of an agent and also manages users.
    Admin,
}

impl Role {
    /// All roles, in ascending order of rights.
    pub const ALL: [Role; 3] = [Role::Customer, Role::Agent, Role::Admin];

    /// Returns the role with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Returns true if the role has access to the tickets of other users.
    pub const fn is_staff(self) -> bool {
        matches!(self, Role::Agent | Role::Admin)
    }

    /// Returns the scopes that users with this role can request.
    pub const fn scopes(self) -> &'static [Scope] {
        use Scope::{
            CommentsWrite, Profile, TicketsRead, TicketsWrite, UsersRead, UsersWrite, WebhooksWrite,
        };
        match self {
            Role::Customer => &[TicketsRead, TicketsWrite, CommentsWrite, Profile],
            Role::Agent => &[TicketsRead, TicketsWrite, CommentsWrite, Profile, UsersRead],
            Role::Admin => &[
                TicketsRead,
                TicketsWrite,
                CommentsWrite,
                Profile,
                UsersRead,
                UsersWrite,
                WebhooksWrite,
            ],
        }
    }
}

/// User id: `usr_...`.
pub type UserId = Id<User>;

/// The caller, as a user of the helpdesk. Handlers take it as a parameter.
///
/// It is read from the token and needs no query. After a role change, older tokens are rejected
/// within seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub id: UserId,
    /// Role.
    pub role: Role,
}

impl Named for User {
    const PREFIX: &'static str = "usr";
}

/// The credentials do not belong to a helpdesk user. Log in as a user.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct NotAUser;

#[provider]
async fn user(caller: Caller) -> Result<User, NotAUser> {
    let id = caller.subject.parse().map_err(|_| NotAUser)?;
    // A caller with several roles acts with the highest one.
    let role = Role::ALL
        .into_iter()
        .rev()
        .find(|role| caller.has_role(role.name()))
        .ok_or(NotAUser)?;
    Ok(User { id, role })
}

/// Returns the caller for a user who logs in.
pub fn caller(user: User) -> Caller {
    let mut caller = Caller::new(&user.id.to_string());
    caller.scopes = user
        .role
        .scopes()
        .iter()
        .map(|scope| scope.name().into())
        .collect();
    caller.roles = vec![user.role.name().into()];
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_adds_to_the_one_before() {
        for pair in Role::ALL.windows(2) {
            assert!(
                pair[0]
                    .scopes()
                    .iter()
                    .all(|scope| pair[1].scopes().contains(scope)),
                "{pair:?}"
            );
        }
        assert_eq!(Role::Admin.scopes().len(), Scope::all().len());
    }

    #[test]
    fn names_and_back() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
        assert_eq!(Role::named("Admin"), None);
    }
}
