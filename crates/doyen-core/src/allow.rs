//! Access policies of routes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use crate::sync;
use crate::{Caller, Role, Scope};

/// The access policy of a route, the value of `allow = ...`.
///
/// There is no default. A route states [`anyone`], [`signed_in`] or a scope. [`signed_in`] and a
/// scope can be restricted to roles with [`role`](AllowExt::role); a public route cannot.
///
/// ```
/// use doyen_core::{Allow, anyone, signed_in};
///
/// assert!(Allow::from(anyone).is_public());
/// assert!(!Allow::from(signed_in).is_public());
/// ```
///
/// ```compile_fail
/// # extern crate doyen_core as doyen;
/// # #[derive(Clone, Copy, doyen_core::Role)] enum Role { Admin }
/// use doyen_core::{AllowExt as _, anyone};
///
/// let open = anyone.role(Role::Admin);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow(Option<Restricted>);

/// The policy of a public route. It has nothing to restrict, so that no closed-looking policy is
/// open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anyone(());

/// A policy that needs a caller who is logged in: [`signed_in`], a scope, or one of them with
/// roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restricted {
    scope: Option<&'static str>,
    /// Further scopes, all of which a caller needs.
    more: &'static [&'static str],
    roles: &'static [&'static str],
}

/// Admits every request, with or without a caller.
#[allow(non_upper_case_globals, reason = "reads as a keyword after `allow =`")]
pub const anyone: Anyone = Anyone(());

/// Admits every authenticated caller.
#[allow(non_upper_case_globals, reason = "reads as a keyword after `allow =`")]
pub const signed_in: Restricted = Restricted {
    scope: None,
    more: &[],
    roles: &[],
};

impl From<Anyone> for Allow {
    fn from(Anyone(()): Anyone) -> Self {
        Allow(None)
    }
}

impl<R: Restrict> From<R> for Allow {
    fn from(policy: R) -> Self {
        Allow(Some(policy.restricted()))
    }
}

/// A policy that needs a caller: [`signed_in`], a scope, and the results of
/// [`role`](AllowExt::role).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not restrict who may call",
    label = "not a policy that needs a caller",
    note = "a public route has no caller whose role or scope could be checked",
    note = "write `signed_in`, `signed_in.role(Role::Admin)`, or begin with a scope: `Scope::OrdersWrite.role(Role::Admin)`"
)]
pub trait Restrict: Copy {
    /// The policy as a value.
    fn restricted(self) -> Restricted;
}

impl Restrict for Restricted {
    fn restricted(self) -> Restricted {
        self
    }
}

impl<S: Scope> Restrict for S {
    fn restricted(self) -> Restricted {
        Restricted {
            scope: Some(self.name()),
            ..signed_in
        }
    }
}

/// `Scope::TicketsWrite.role(Role::Agent)`: restricts a policy to roles.
pub trait AllowExt: Into<Allow> {
    /// Admits only callers that have this scope too: `Scope::OrdersRead.and(Scope::PricesRead)`.
    #[must_use]
    fn and(self, scope: impl Scope) -> Restricted
    where
        Self: Restrict,
    {
        let policy = self.restricted();
        let name = scope.name();
        match policy.scope {
            None => Restricted {
                scope: Some(name),
                ..policy
            },
            // A scope that is given twice counts once.
            Some(first) if first == name => policy,
            Some(_) => {
                let more = policy.more.iter().copied().chain([name]);
                Restricted {
                    more: name_list(more.collect()),
                    ..policy
                }
            }
        }
    }

    /// Admits only callers with this role. Called more than once: any of the roles, as many as are
    /// given.
    #[must_use]
    fn role(self, role: impl Role) -> Restricted
    where
        Self: Restrict,
    {
        let policy = self.restricted();
        let roles = policy.roles.iter().copied().chain([role.name()]);
        Restricted {
            roles: name_list(roles.collect()),
            ..policy
        }
    }
}

impl<A: Into<Allow>> AllowExt for A {}

/// Interns a list of names, so that a policy of any length is `Copy`. Equal lists share one
/// allocation, so memory is bounded by the number of different policies.
fn name_list(mut roles: Vec<&'static str>) -> &'static [&'static str] {
    static LISTS: Mutex<BTreeSet<&'static [&'static str]>> = Mutex::new(BTreeSet::new());
    roles.sort_unstable();
    roles.dedup();
    let mut lists = sync::lock(&LISTS);
    if let Some(known) = lists.get(roles.as_slice()) {
        return known;
    }
    let list: &'static [&'static str] = Vec::leak(roles);
    lists.insert(list);
    list
}

/// Reason for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The caller is not logged in.
    Anonymous,
    /// The token of the caller lacks this scope.
    Scope(&'static str),
    /// The caller has none of the roles.
    Role,
}

impl Allow {
    /// True if the route needs no caller.
    pub const fn is_public(&self) -> bool {
        self.0.is_none()
    }

    /// Returns every scope that a caller needs.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> + use<> {
        let more = self.0.map_or([].as_slice(), |policy| policy.more);
        self.scope().into_iter().chain(more.iter().copied())
    }

    /// Returns the first scope that a caller needs.
    pub fn scope(&self) -> Option<&'static str> {
        self.0?.scope
    }

    /// Returns the roles of which a caller needs one; empty if any caller is admitted.
    pub fn roles(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.0
            .map_or([].as_slice(), |policy| policy.roles)
            .iter()
            .copied()
    }

    /// Combines two policies: the result admits exactly the callers that both admit; `None` if no
    /// single policy does. [`signed_in`] adds nothing to a policy that needs a caller anyway.
    pub fn and(self, other: Self) -> Option<Self> {
        match (self.0, other.0) {
            (one, two) if one == two => Some(self),
            (Some(plain), Some(policy)) | (Some(policy), Some(plain)) if plain == signed_in => {
                Some(policy.into())
            }
            _ => None,
        }
    }

    /// Checks a caller against the policy.
    ///
    /// # Errors
    ///
    /// Returns the reason if the caller is not admitted.
    pub fn check(&self, caller: Option<&Caller>) -> Result<(), Denied> {
        let Some(policy) = self.0 else {
            return Ok(());
        };
        let caller = caller.ok_or(Denied::Anonymous)?;
        if let Some(scope) = policy.scope.filter(|scope| !caller.has_scope(scope)) {
            return Err(Denied::Scope(scope));
        }
        if let Some(scope) = policy.more.iter().find(|scope| !caller.has_scope(scope)) {
            return Err(Denied::Scope(scope));
        }
        if !policy.roles.is_empty() && !policy.roles.iter().any(|role| caller.has_role(role)) {
            return Err(Denied::Role);
        }
        Ok(())
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(policy) = self.0 else {
            return f.write_str("anyone");
        };
        f.write_str(policy.scope.unwrap_or("signed_in"))?;
        for scope in policy.more {
            write!(f, " and {scope}")?;
        }
        if !policy.roles.is_empty() {
            write!(f, " with the role {}", policy.roles.join(" or "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Agent;
    impl Role for Agent {
        fn name(self) -> &'static str {
            "agent"
        }
    }
    #[derive(Clone, Copy)]
    struct Read;
    impl Scope for Read {
        fn name(self) -> &'static str {
            "tickets:read"
        }
        fn description(self) -> &'static str {
            ""
        }
        fn all() -> Vec<Self> {
            vec![Read]
        }
    }

    #[test]
    fn each_reason_to_deny_is_distinct() {
        let allow = Allow::from(Read.role(Agent));
        assert_eq!(allow.check(None), Err(Denied::Anonymous));
        let mut caller = Caller::new("u1");
        assert_eq!(
            allow.check(Some(&caller)),
            Err(Denied::Scope("tickets:read"))
        );
        caller.scopes = vec!["tickets:read".into()];
        assert_eq!(allow.check(Some(&caller)), Err(Denied::Role));
        caller.roles = vec!["agent".into()];
        assert_eq!(allow.check(Some(&caller)), Ok(()));
    }

    #[derive(Clone, Copy)]
    struct Numbered(&'static str);
    impl Role for Numbered {
        fn name(self) -> &'static str {
            self.0
        }
    }

    #[test]
    fn a_caller_needs_every_scope() {
        #[derive(Clone, Copy)]
        struct Other(&'static str);
        impl Scope for Other {
            fn name(self) -> &'static str {
                self.0
            }
            fn description(self) -> &'static str {
                ""
            }
            fn all() -> Vec<Self> {
                Vec::new()
            }
        }
        let policy = Read
            .and(Other("b"))
            .and(Other("a"))
            .and(Read)
            .and(Other("b"));
        let allow = Allow::from(policy.role(Agent));
        assert_eq!(
            allow.scopes().collect::<Vec<_>>(),
            ["tickets:read", "a", "b"]
        );
        let mut caller = Caller::new("u1");
        caller.roles = vec!["agent".into()];
        for (scopes, missing) in [
            (&["a", "b"][..], "tickets:read"),
            (&["tickets:read", "a"], "b"),
        ] {
            caller.scopes = scopes.iter().map(|scope| (*scope).into()).collect();
            assert_eq!(allow.check(Some(&caller)), Err(Denied::Scope(missing)));
        }
        caller.scopes = allow.scopes().map(Into::into).collect();
        assert_eq!(allow.check(Some(&caller)), Ok(()));
        assert_eq!(
            allow.to_string(),
            "tickets:read and a and b with the role agent"
        );
    }

    #[test]
    fn every_role_of_a_long_policy_counts() {
        let names = ["a", "b", "c", "d", "e", "f"];
        let policy = names
            .into_iter()
            .fold(signed_in, |policy, name| policy.role(Numbered(name)));
        let allow = Allow::from(policy);
        assert_eq!(allow.roles().collect::<Vec<_>>(), names);
        let mut caller = Caller::new("u1");
        assert_eq!(allow.check(Some(&caller)), Err(Denied::Role));
        for name in names {
            caller.roles = vec![name.into()];
            assert_eq!(allow.check(Some(&caller)), Ok(()), "{name}");
        }
    }

    #[test]
    fn two_policies_combine_only_if_one_expresses_both() {
        let (open, closed) = (Allow::from(anyone), Allow::from(signed_in));
        let (read, agents) = (Allow::from(Read), Allow::from(Read.role(Agent)));
        assert_eq!(closed.and(read), Some(read));
        assert_eq!(agents.and(closed), Some(agents));
        assert_eq!(read.and(read), Some(read));
        for (one, two) in [(open, closed), (open, read), (read, agents)] {
            assert_eq!(one.and(two), None, "{one} and {two}");
            assert_eq!(two.and(one), None, "{two} and {one}");
        }
    }
}
