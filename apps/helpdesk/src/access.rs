//! Who may do what: the roles, the scopes each of them has, and the caller as a user of the helpdesk.
//!
//! These words are shared by all domains; like a domain they know no web and no database.

use doyen::domain::id::Named;
use doyen::domain::{Caller, Id, Input, Output, Problem, Role as _, Scope as _, provider};

/// What a token may permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, doyen::domain::Scope)]
pub enum Scope {
    /// Read tickets and their comments: your own, or all of them as an agent.
    #[scope("tickets:read")]
    TicketsRead,
    /// Open and change tickets.
    #[scope("tickets:write")]
    TicketsWrite,
    /// Comment on tickets.
    #[scope("comments:write")]
    CommentsWrite,
    /// Look users up.
    #[scope("users:read")]
    UsersRead,
    /// Change users and their roles.
    #[scope("users:write")]
    UsersWrite,
    /// Manage webhooks.
    #[scope("webhooks:write")]
    WebhooksWrite,
    /// Read and change your own profile.
    #[scope("profile")]
    Profile,
}

/// What somebody is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, doyen::domain::Role, Input, Output)]
pub enum Role {
    /// Opens tickets and sees only those.
    Customer,
    /// Works on all tickets and writes internal notes.
    Agent,
    /// An agent who also manages users.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Customer, Role::Agent, Role::Admin];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// True for those who work on the tickets of others.
    pub const fn is_staff(self) -> bool {
        matches!(self, Role::Agent | Role::Admin)
    }

    /// What somebody of this role may ask for.
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

/// The id of a user: `usr_...`.
pub type UserId = Id<User>;

/// The caller, as a user of the helpdesk. Ask for it in a handler.
///
/// It is what the token says, so it costs no query. When a role is changed, the tokens from before are refused within seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// As what.
    pub role: Role,
}

impl Named for User {
    const PREFIX: &'static str = "usr";
}

/// These credentials do not belong to a user of the helpdesk. Log in as one.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct NotAUser;

#[provider]
async fn user(caller: Caller) -> Result<User, NotAUser> {
    let id = caller.subject.parse().map_err(|_| NotAUser)?;
    // The highest one counts.
    let role = Role::ALL
        .into_iter()
        .rev()
        .find(|role| caller.has_role(role.name()))
        .ok_or(NotAUser)?;
    Ok(User { id, role })
}

/// The caller that a user becomes when they log in.
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
