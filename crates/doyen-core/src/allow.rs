//! Who may call a route.

use std::borrow::Cow;
use std::fmt;

use crate::Caller;

/// A permission word such as `tickets:read`. Derive it on the enum of your application's scopes.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::Scope as _;
///
/// #[derive(Clone, Copy, Debug, doyen_core::Scope)]
/// enum Scope {
///     /// Read your tickets.
///     #[scope("tickets:read")]
///     TicketsRead,
/// }
///
/// assert_eq!(Scope::TicketsRead.name(), "tickets:read");
/// ```
pub trait Scope: Copy {
    /// The word, as it stands in tokens and in the document.
    fn name(self) -> &'static str;
    /// What it permits: the doc comment of the variant.
    fn description(self) -> &'static str;
    /// Every scope there is.
    fn all() -> Vec<Self>;
}

/// A role such as `admin`. Derive it like [`Scope`].
pub trait Role: Copy {
    /// The word, as it stands in tokens.
    fn name(self) -> &'static str;
}

/// The answer to "may they?": what `allow = ...` at a route becomes.
///
/// There is no default. A route says [`anyone`], [`signed_in`] or a scope, which can be narrowed to roles.
///
/// ```
/// use doyen_core::{Allow, anyone, signed_in};
///
/// assert!(anyone.is_public());
/// assert!(!signed_in.is_public());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow {
    gate: Gate,
    scope: Option<&'static str>,
    roles: [Option<&'static str>; 4],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    SignedIn,
}

/// Everybody, logged in or not.
#[allow(non_upper_case_globals, reason = "reads as a word beside `allow =`")]
pub const anyone: Allow = Allow {
    gate: Gate::Open,
    scope: None,
    roles: [None; 4],
};

/// Whoever is logged in.
#[allow(non_upper_case_globals, reason = "reads as a word beside `allow =`")]
pub const signed_in: Allow = Allow {
    gate: Gate::SignedIn,
    scope: None,
    roles: [None; 4],
};

impl<S: Scope> From<S> for Allow {
    fn from(scope: S) -> Self {
        Allow {
            scope: Some(scope.name()),
            ..signed_in
        }
    }
}

/// `Scope::TicketsWrite.to(Role::Agent)`: narrows a scope to roles.
pub trait AllowExt: Into<Allow> {
    /// Only callers with this role. Called more than once: any of the roles. At most four.
    fn to(self, role: impl Role) -> Allow {
        let mut allow = self.into();
        if let Some(free) = allow.roles.iter_mut().find(|role| role.is_none()) {
            *free = Some(role.name());
        }
        allow
    }
}

impl<A: Into<Allow>> AllowExt for A {}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nobody is logged in.
    Anonymous,
    /// The caller's token lacks this scope.
    Scope(&'static str),
    /// The caller has none of the roles.
    Role,
}

impl Allow {
    /// True when nobody needs to be logged in.
    pub const fn is_public(&self) -> bool {
        matches!(self.gate, Gate::Open)
    }

    /// The scope that is asked for.
    pub const fn scope(&self) -> Option<&'static str> {
        self.scope
    }

    /// The roles of which one is asked for; empty when any will do.
    pub fn roles(&self) -> impl Iterator<Item = &'static str> {
        self.roles.into_iter().flatten()
    }

    /// May this caller?
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&self, caller: Option<&Caller>) -> Result<(), Denied> {
        if self.is_public() {
            return Ok(());
        }
        let caller = caller.ok_or(Denied::Anonymous)?;
        if let Some(scope) = self.scope.filter(|scope| !caller.has_scope(scope)) {
            return Err(Denied::Scope(scope));
        }
        if self.roles().next().is_some() && !self.roles().any(|role| caller.has_role(role)) {
            return Err(Denied::Role);
        }
        Ok(())
    }
}

/// Why a policy says no: for the log, never for the client.
///
/// A policy is a function of the application that looks at the caller and the thing, and gives its reason when it refuses. The problem that
/// becomes of it holds the reason as its cause, and the access log shows it as `denied_because`.
///
/// ```
/// # extern crate doyen_core as doyen;
/// use doyen_core::{DeniedBecause, Problem, denied_because};
///
/// struct Order {
///     owner: u32,
/// }
///
/// fn may_cancel(caller: u32, order: &Order) -> Result<(), DeniedBecause> {
///     if order.owner == caller { Ok(()) } else { Err(denied_because("only its owner cancels an order")) }
/// }
///
/// /// You may not cancel this order.
/// #[derive(Debug, Problem)]
/// #[problem(forbidden)]
/// struct NotYours(#[problem(cause)] DeniedBecause);
///
/// let refused = may_cancel(1, &Order { owner: 2 }).map_err(NotYours).unwrap_err();
/// assert_eq!(refused.cause().unwrap().to_string(), "only its owner cancels an order");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedBecause(Cow<'static, str>);

/// Refuses, and says why.
pub fn denied_because(reason: impl Into<Cow<'static, str>>) -> DeniedBecause {
    DeniedBecause(reason.into())
}

impl DeniedBecause {
    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeniedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DeniedBecause {}

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
    fn each_reason_to_deny_is_told_apart() {
        let allow = Read.to(Agent);
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
}
